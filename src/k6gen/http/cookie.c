/* SPDX-License-Identifier: MIT */
/* Set-Cookie headers as lines of a cookie file, by RFC 6265. */
#include "k6gen/http/cookie.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "k6gen/http/authority.h"

/* More seconds than a cookie has to live; what says more is as good as one
 * that says nothing: a user's iteration does not last that long. */
#define LONGEST_S 1000000000000

/* What an answer says of a cookie (RFC 6265 5.2). */
struct cookie {
	struct span name, value, domain, path;
	int64_t expires;	/* in seconds; 0: with the iteration */
	bool is_secure;
};

static struct span
trimmed(const char *from, const char *end)
{
	while (from < end && (*from == ' ' || *from == '\t'))
		from++;
	while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return (struct span){ from, (size_t)(end - from) };
}

static bool
is_named(struct span key, const char *name)
{
	return key.n == strlen(name) && strncasecmp(key.p, name, key.n) == 0;
}

static void
read_attribute(struct cookie *c, struct span key, struct span value,
    int64_t now_s)
{
	char text[64];
	int64_t seconds, date;

	(void)snprintf(text, sizeof(text), "%.*s", (int)value.n, value.p);
	if (is_named(key, "Domain") && value.n > 0)
		c->domain = value.p[0] == '.' ? (struct span){ value.p + 1,
		    value.n - 1 } : value;
	else if (is_named(key, "Path") && value.n > 0 && value.p[0] == '/')
		c->path = value;
	else if (is_named(key, "Secure"))
		c->is_secure = true;
	else if (is_named(key, "Max-Age") && num_parse_int(text, -LONGEST_S,
	    LONGEST_S, &seconds))
		c->expires = seconds <= 0 ? 1 : now_s + seconds;
	else if (is_named(key, "Expires") && c->expires == 0 &&
	    (date = curl_getdate(text, NULL)) >= 0)
		c->expires = date > 0 ? date : 1;
}

/* False: it is none. */
static bool
read_cookie(struct span line, struct cookie *c, int64_t now_s)
{
	const char *at = line.p, *end = line.p + line.n, *stop, *equals;

	*c = (struct cookie){ .expires = 0 };
	for (; at < end; at = stop + 1) {
		stop = memchr(at, ';', (size_t)(end - at));
		if (stop == NULL)
			stop = end;
		equals = memchr(at, '=', (size_t)(stop - at));
		if (at == line.p) {
			if (equals == NULL)
				return false;
			c->name = trimmed(at, equals);
			c->value = trimmed(equals + 1, stop);
		} else {
			read_attribute(c, trimmed(at, equals != NULL ? equals
			    : stop), equals != NULL ? trimmed(equals + 1,
			    stop) : SPAN(""), now_s);
		}
	}
	return c->name.n > 0 && memchr(c->name.p, '\t', c->name.n) == NULL &&
	    memchr(c->value.p, '\t', c->value.n) == NULL;
}

/* The host is the domain or inside it; an address is in none. */
static bool
is_inside(struct span host, struct span domain)
{
	const char *tail;

	if (host.n < domain.n)
		return false;
	tail = host.p + host.n - domain.n;
	return strncasecmp(tail, domain.p, domain.n) == 0 &&
	    (host.n == domain.n || (tail[-1] == '.' &&
	    strspn(host.p, "0123456789.") < host.n));
}

/* RFC 6265 5.1.4: up to the last slash, but for that. */
static struct span
folder_of(const char *path)
{
	size_t n = strcspn(path, "?#");

	while (n > 0 && path[n - 1] != '/')
		n--;
	return n > 1 ? (struct span){ path, n - 1 } : SPAN("/");
}

bool
cookie_line(struct span value, const char *authority, const char *path,
    int64_t now_s, struct buf *out)
{
	struct span host = authority_host(authority);
	struct cookie c;
	bool is_wide;

	if (!read_cookie(value, &c, now_s) || (c.domain.n > 0 &&
	    !is_inside(host, c.domain)))
		return false;
	is_wide = c.domain.n > 0 && memchr(c.domain.p, '.', c.domain.n) !=
	    NULL && strspn(host.p, "0123456789.") < host.n;
	if (c.path.n == 0)
		c.path = folder_of(path);
	if (!is_wide)
		c.domain = host;
	buf_printf(out, "%s%.*s\t%s\t%.*s\t%s\t%" PRId64 "\t%.*s\t%.*s",
	    is_wide ? "." : "", (int)c.domain.n, c.domain.p,
	    is_wide ? "TRUE" : "FALSE", (int)c.path.n, c.path.p,
	    c.is_secure ? "TRUE" : "FALSE", c.expires, (int)c.name.n, c.name.p,
	    (int)c.value.n, c.value.p);
	return true;
}
