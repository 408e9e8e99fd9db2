/* SPDX-License-Identifier: MIT */
#include "k6gen/redirect.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"

/* An absolute URL cut up as far as we need it. */
struct parts {
	struct span scheme;
	struct span userinfo;	/* n 0: none */
	struct span host;	/* with the port */
	struct span rest;
};

static struct parts
cut(const char *url)
{
	const char *at = strstr(url, "://"), *end, *user;
	struct parts p = { .rest = span_of(url) };

	if (at == NULL)
		return p;
	p.scheme = (struct span){ url, (size_t)(at - url) };
	at += 3;
	end = at + strcspn(at, "/?#");
	p.rest = span_of(end);
	user = memrchr(at, '@', (size_t)(end - at));
	if (user != NULL) {
		p.userinfo = (struct span){ at, (size_t)(user - at) };
		at = user + 1;
	}
	p.host = (struct span){ at, (size_t)(end - at) };
	return p;
}

static bool
ends_with(struct span s, const char *tail)
{
	size_t n = strlen(tail);

	return s.n >= n && memcmp(s.p + s.n - n, tail, n) == 0;
}

static bool
equal_nocase(struct span a, struct span b)
{
	return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static bool
same_origin(const char *a, const char *b)
{
	struct parts p = cut(a), q = cut(b);
	const char *port;

	if (p.scheme.n == 0 || !equal_nocase(p.scheme, q.scheme))
		return false;
	port = p.scheme.n == 5 ? ":443" : ":80";
	if (ends_with(p.host, port))
		p.host.n -= strlen(port);
	if (ends_with(q.host, port))
		q.host.n -= strlen(port);
	return equal_nocase(p.host, q.host);
}

bool
redirect_is(const struct swarm_reply *reply)
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

void
redirect_follow(struct swarm_request *r, int status, const char *url,
    const char *first)
{
	bool had_body = r->body.p != NULL;

	r->url = url;
	r->leave_out &= ~(unsigned)SWARM_NO_SECRETS;
	if (!same_origin(first, url))
		r->leave_out |= SWARM_NO_SECRETS;
	if (status == 307 || status == 308)
		return;
	if (strcmp(r->method, "HEAD") != 0)
		r->method = "GET";
	r->body = (struct span){ NULL, 0 };
	if (had_body)
		r->leave_out |= SWARM_NO_CONTENT;
}

char *
url_mask(const char *url)
{
	struct parts p = cut(url);
	struct buf out = { 0 };

	if (p.userinfo.n == 0)
		return xstrdup(url);
	buf_span(&out, p.scheme);
	buf_text(&out, "://");
	buf_text(&out, memchr(p.userinfo.p, ':', p.userinfo.n) != NULL ?
	    "****:****@" : "****@");
	buf_span(&out, p.host);
	buf_span(&out, p.rest);
	return out.p;
}
