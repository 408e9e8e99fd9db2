/* SPDX-License-Identifier: MIT */
/* Sizes in bytes: a whole number and one unit. */
#include "base/size.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/num.h"

bool
size_parse(const char *text, int64_t *bytes)
{
	static const char units[] = "kmgt";
	size_t n = strspn(text, "0123456789");
	const char *rest = text + n, *unit;
	char *number = xstrndup(text, n);
	int64_t value = 0, factor = 1024;
	bool is_size = num_parse_int(number, 1, INT64_MAX, &value);

	free(number);
	if (*rest != '\0') {
		unit = strchr(units, *rest | 0x20);
		if (strcasecmp(rest + 1, "b") == 0)
			factor = 1000;
		else if (rest[1] != '\0' && strcasecmp(rest + 1, "ib") != 0)
			unit = NULL;
		is_size = is_size && unit != NULL;
		for (; is_size && unit >= units; unit--)
			is_size = !__builtin_mul_overflow(value, factor,
			    &value);
	}
	if (is_size)
		*bytes = value;
	return is_size;
}
