/* SPDX-License-Identifier: MIT */
/* Names of header lines, and which of them a request omits. */
#include "k6gen/http/header.h"

#include <string.h>
#include <strings.h>

bool
header_is(const char *line, const char *name)
{
	size_t n = strlen(name);

	return strncasecmp(line, name, n) == 0 && line[n] == ':';
}

bool
header_is_in(const struct http_texts *t, const char *line)
{
	size_t i, n = strcspn(line, ":") + 1;

	for (i = 0; i < t->n; i++)
		if (strncasecmp(t->items[i], line, n) == 0)
			return true;
	return false;
}

bool
header_is_left_out(const char *line, unsigned leave_out)
{
	if (leave_out & HTTP_NO_SECRETS && (header_is(line, "Cookie") ||
	    header_is(line, "Authorization") ||
	    header_is(line, "Proxy-Authorization")))
		return true;
	return leave_out & HTTP_NO_CONTENT &&
	    strncasecmp(line, "Content-", sizeof("Content-") - 1) == 0;
}

bool
header_has_value(const char *line)
{
	return strchr(line, ':')[1] != '\0';
}

bool
header_wants_body(const struct http_request *r)
{
	return r->body.p != NULL || strcmp(r->method, "POST") == 0 ||
	    strcmp(r->method, "PUT") == 0 || strcmp(r->method, "PATCH") == 0;
}

void
header_write_cookies(const struct http_texts *own,
    const struct http_texts *options, unsigned leave_out, struct buf *out)
{
	const struct http_texts *t = header_is_in(own, "Cookie:") ? own
	    : options;
	struct span value;
	size_t i, start = out->n;

	for (i = 0; i < t->n && !(leave_out & HTTP_NO_SECRETS); i++) {
		if (!header_is(t->items[i], "Cookie"))
			continue;
		value = span_trim(span_of(t->items[i] + sizeof("Cookie:") - 1),
		    " \t");
		if (value.n > 0 && out->n > start)
			buf_text(out, "; ");
		buf_span(out, value);
	}
}
