/* SPDX-License-Identifier: MIT */
/* Allocation that ends the process when memory is out. */
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/die.h"

static void *
or_die(void *p, size_t size)
{
	if (p == NULL && size != 0)
		dief(EXIT_FAILED, "out of memory: %zu bytes wanted", size);
	return p;
}

void *
xmalloc(size_t size)
{
	return or_die(malloc(size != 0 ? size : 1), size);
}

void *
xcalloc(size_t count, size_t size)
{
	return or_die(calloc(count != 0 ? count : 1, size), count * size);
}

void *
xrealloc(void *old, size_t size)
{
	return or_die(realloc(old, size != 0 ? size : 1), size);
}

char *
xstrdup(const char *text)
{
	return xstrndup(text, strlen(text));
}

char *
xstrndup(const char *bytes, size_t n)
{
	char *copy = xmalloc(n + 1);

	if (n != 0)
		memcpy(copy, bytes, n);
	copy[n] = '\0';
	return copy;
}

char *
xasprintf(const char *format, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		dief(EXIT_FAILED, "out of memory");
	va_end(ap);
	return text;
}

void *
xgrow(void *array, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return array;
	*cap = *cap != 0 ? *cap * 2 : 8;
	if (*cap > SIZE_MAX / size)
		dief(EXIT_FAILED, "out of memory: array of %zu", *cap);
	return xrealloc(array, *cap * size);
}
