/* SPDX-License-Identifier: MIT */
/* The text of a failure. */
#include "base/why.h"

#include <stdarg.h>
#include <stdio.h>

int
why_set(struct why *why, const char *format, ...)
{
	va_list ap;

	if (why != NULL) {
		va_start(ap, format);
		(void)vsnprintf(why->text, sizeof(why->text), format, ap);
		va_end(ap);
	}
	return -1;
}
