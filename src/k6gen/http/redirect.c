/* SPDX-License-Identifier: MIT */
/* The request that follows a redirect: its method, body and secrets. */
#include "k6gen/http/redirect.h"

#include <string.h>

#include "io/url.h"

bool
redirect_is(const struct http_reply *reply)
{
	switch (reply->status) {
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		return reply->location != NULL;
	default:
		return false;
	}
}

char *
redirect_follow(struct http_request *r, const struct http_reply *reply,
    const char *first)
{
	char *url = url_resolve(r->url, reply->location);
	bool had_body = r->body.p != NULL;

	if (url == NULL)
		url = xstrdup(reply->location);
	r->url = url;
	r->leave_out &= ~(unsigned)HTTP_NO_SECRETS;
	if (!url_same_origin(first, url))
		r->leave_out |= HTTP_NO_SECRETS;
	if (reply->status == 307 || reply->status == 308)
		return url;
	if (strcmp(r->method, "HEAD") != 0)
		r->method = "GET";
	r->body = (struct span){ NULL, 0 };
	if (had_body)
		r->leave_out |= HTTP_NO_CONTENT;
	return url;
}
