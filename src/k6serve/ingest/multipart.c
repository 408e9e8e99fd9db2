/* SPDX-License-Identifier: MIT */
/* Finds a field in a form. */
#include "k6serve/ingest/multipart.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { BOUNDARY_MAX = 70 };	/* RFC 2046 section 5.1.1 */

/* "--" and the boundary, into out; 0: the type has none. */
static size_t
delimiter_of(const char *type, char out[BOUNDARY_MAX + 3])
{
	static const char form[] = "multipart/form-data";
	const char *p;
	size_t n;

	if (type == NULL || strncasecmp(type, form, sizeof(form) - 1) != 0 ||
	    (p = strcasestr(type, "boundary=")) == NULL)
		return 0;
	p += strlen("boundary=");
	n = *p == '"' ? strcspn(++p, "\"") : strcspn(p, "; \t");
	if (n == 0 || n > BOUNDARY_MAX)
		return 0;
	return (size_t)snprintf(out, BOUNDARY_MAX + 3, "--%.*s", (int)n, p);
}

/* Where the bytes stand in text; text.n: nowhere. */
static size_t
find(struct span text, const char *bytes, size_t n)
{
	const char *p = memmem(text.p, text.n, bytes, n);

	return p != NULL ? (size_t)(p - text.p) : text.n;
}

static struct span
behind(struct span text, size_t n)
{
	return (struct span){ text.p + n, text.n - n };
}

/* Does a part's head name it so? */
static bool
is_named(struct span head, const char *name)
{
	char text[100];
	int n = snprintf(text, sizeof(text), "; name=\"%s\"", name);

	return find(head, text, (size_t)n) < head.n;
}

bool
multipart_field(const char *type, struct span body, const char *name,
    struct span *value)
{
	char line[BOUNDARY_MAX + 5] = "\r\n";	/* before a delimiter */
	size_t n = delimiter_of(type, line + 2), at, end;
	struct span head, part;

	if (n == 0)
		return false;
	at = find(body, line + 2, n);
	while (at + n < body.n) {
		part = behind(body, at + n);
		at = find(part, "\r\n\r\n", 4);
		if (at == part.n)
			return false;
		head = (struct span){ part.p, at };
		part = behind(part, at + 4);
		end = find(part, line, n + 2);
		if (end == part.n)
			return false;
		if (is_named(head, name)) {
			*value = (struct span){ part.p, end };
			return true;
		}
		body = part;
		at = end + 2;
	}
	return false;
}
