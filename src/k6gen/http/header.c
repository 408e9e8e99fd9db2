/* SPDX-License-Identifier: MIT */
/* Names of header lines, and which of them a request omits. */
#include "k6gen/http/header.h"

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
header_wants_body(const struct http_request *r)
{
	return r->body.p != NULL || strcmp(r->method, "POST") == 0 ||
	    strcmp(r->method, "PUT") == 0 || strcmp(r->method, "PATCH") == 0;
}

struct span
header_cookies(const struct http_texts *own, const struct http_texts *options,
    unsigned leave_out)
{
	const struct http_texts *lists[] = { own, options };
	const char *value;
	size_t i, k;

	if (leave_out & HTTP_NO_SECRETS)
		return SPAN("");
	for (k = 0; k < 2; k++)
		for (i = 0; i < lists[k]->n; i++) {
			if (!header_is(lists[k]->items[i], "Cookie"))
				continue;
			value = lists[k]->items[i] + sizeof("Cookie:") - 1;
			return span_of(value + strspn(value, " \t"));
		}
	return SPAN("");
}
