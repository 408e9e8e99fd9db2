/* SPDX-License-Identifier: MIT */
/* The cookies of a user: kept, replaced, sent where they belong. */
#include "k6gen/http/jar.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "k6gen/http/authority.h"
#include "k6gen/http/cookie.h"
#include "k6gen/request.h"

enum { FIELDS = 7, MOST = 300 };	/* cookies of a user */

/* A line of cookie_line, and its fields. */
struct jar_cookie {
	char *line;		/* owned */
	struct span domain, path, name, value;
	bool is_wide;		/* subdomains too */
	bool is_secure;
	int64_t expires_s;	/* 0: with the jar */
};

static bool
split_line(struct jar_cookie *c)
{
	struct span fields[FIELDS];
	char *at = c->line, *tab;
	int i;

	for (i = 0; i < FIELDS; i++) {
		tab = i < FIELDS - 1 ? strchr(at, '\t') : at + strlen(at);
		if (tab == NULL)
			return false;
		fields[i] = (struct span){ at, (size_t)(tab - at) };
		*tab = '\0';
		at = tab + 1;
	}
	c->domain = fields[0];
	c->is_wide = fields[1].p[0] == 'T';
	c->path = fields[2];
	c->is_secure = fields[3].p[0] == 'T';
	c->name = fields[5];
	c->value = fields[6];
	return num_parse_int(fields[4].p, 0, INT64_MAX, &c->expires_s);
}

static bool
is_same(const struct jar_cookie *a, const struct jar_cookie *b)
{
	return span_equal(a->name, b->name) && span_equal(a->path, b->path) &&
	    a->domain.n == b->domain.n &&
	    strncasecmp(a->domain.p, b->domain.p, a->domain.n) == 0;
}

static bool
is_over(const struct jar_cookie *c, int64_t now_s)
{
	return c->expires_s != 0 && c->expires_s <= now_s;
}

/* Instead of one of the same name, or behind the others. */
static void
keep(struct jar *j, struct jar_cookie *c, int64_t now_s)
{
	size_t i;

	for (i = 0; i < j->n; i++)
		if (is_same(&j->cookies[i], c))
			break;
	if (i < j->n) {
		free(j->cookies[i].line);
		if (is_over(c, now_s)) {
			free(c->line);
			j->n--;
			memmove(&j->cookies[i], &j->cookies[i + 1],
			    (j->n - i) * sizeof(*c));
			return;
		}
		j->cookies[i] = *c;
		return;
	}
	if (is_over(c, now_s) || j->n >= MOST) {
		free(c->line);
		return;
	}
	j->cookies = xgrow(j->cookies, j->n, &j->cap, sizeof(*c));
	j->cookies[j->n++] = *c;
}

void
jar_take(struct jar *j, struct span headers, const char *authority,
    const char *path, int64_t now_s)
{
	struct buf line = { 0 };
	struct jar_cookie c;
	struct span value;
	size_t at = 0;

	while (http_find_header(headers, "Set-Cookie", &at, &value)) {
		buf_reset(&line);
		if (!cookie_line(value, authority, path, now_s, &line))
			continue;
		c = (struct jar_cookie){ .line = xstrndup(line.p, line.n) };
		if (split_line(&c))
			keep(j, &c, now_s);
		else
			free(c.line);
	}
	buf_release(&line);
}

static bool
fits_host(const struct jar_cookie *c, struct span host)
{
	struct span domain = c->domain;

	if (!c->is_wide)
		return host.n == domain.n &&
		    strncasecmp(host.p, domain.p, host.n) == 0;
	/* ".example.test" is that domain, and what is in it. */
	if (host.n == domain.n - 1)
		return strncasecmp(host.p, domain.p + 1, host.n) == 0;
	return host.n > domain.n && strncasecmp(host.p + host.n - domain.n,
	    domain.p, domain.n) == 0;
}

/* RFC 6265 5.1.4 */
static bool
fits_path(const struct jar_cookie *c, const char *path)
{
	size_t n = strcspn(path, "?#");
	struct span p = c->path;

	if (path[0] != '/')
		return p.n == 1;
	return n >= p.n && memcmp(path, p.p, p.n) == 0 && (n == p.n ||
	    p.p[p.n - 1] == '/' || path[p.n] == '/');
}

void
jar_write(const struct jar *j, const char *authority, const char *path,
    bool is_tls, int64_t now_s, struct buf *out)
{
	struct span host = authority_host(authority);
	const struct jar_cookie *c;
	size_t i, n = out->n;

	for (i = 0; i < j->n; i++) {
		c = &j->cookies[i];
		if (is_over(c, now_s) || (c->is_secure && !is_tls) ||
		    !fits_host(c, host) || !fits_path(c, path))
			continue;
		if (out->n > n)
			buf_add(out, "; ", 2);
		buf_span(out, c->name);
		buf_char(out, '=');
		buf_span(out, c->value);
	}
}

void
jar_empty(struct jar *j)
{
	while (j->n > 0)
		free(j->cookies[--j->n].line);
}

void
jar_release(struct jar *j)
{
	jar_empty(j);
	free(j->cookies);
	*j = (struct jar){ .n = 0 };
}
