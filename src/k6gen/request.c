/* SPDX-License-Identifier: MIT */
/* The headers of a reply, which all stages read. */
#include "k6gen/request.h"

#include <strings.h>

bool
http_find_header(struct span lines, const char *name, size_t *at,
    struct span *value)
{
	size_t n = strlen(name), length;
	const char *line, *end;

	while (*at < lines.n) {
		line = lines.p + *at;
		end = memchr(line, '\n', lines.n - *at);
		length = end != NULL ? (size_t)(end - line) : lines.n - *at;
		*at += length + 1;
		if (length < n + 2 || line[n] != ':' ||
		    strncasecmp(line, name, n) != 0)
			continue;
		*value = (struct span){ line + n + 2, length - n - 2 };
		return true;
	}
	return false;
}
