/* SPDX-License-Identifier: MIT */
#include "k6serve/http/app.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/units.h"
#include "data/run.h"
#include "k6serve/http/token.h"
#include "k6serve/store/store_run.h"
#include "k6serve/store/writer.h"
#include "k6serve/view/view.h"

static const struct route *const route_tables[] = { ingest_routes,
    session_routes, provision_routes, api_routes, page_routes };

void
reply_field(struct httpd_reply *reply, const char *name, const char *value)
{
	size_t i, n = sizeof(reply->fields) / sizeof(reply->fields[0]);

	for (i = 0; i < n; i++)
		if (reply->fields[i].name == NULL) {
			reply->fields[i] = (struct httpd_field){ name, value };
			return;
		}
}

struct jsn_out
reply_json(struct httpd_reply *reply, int status)
{
	reply->status = status;
	reply->type = "application/json";
	buf_reset(&reply->body);
	return (struct jsn_out){ .to = &reply->body };
}

void
reply_error(struct httpd_reply *reply, int status, int code,
    const char *format, ...)
{
	struct jsn_out o = reply_json(reply, status);
	char text[512];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	jsn_open(&o, '{');
	jsn_key(&o, "error");
	jsn_open(&o, '{');
	if (code != 0)
		jsn_member_int(&o, "code", code);
	jsn_member_text(&o, "message", span_of(text));
	jsn_close(&o, '}');
	jsn_close(&o, '}');
}

void
reply_newer_error(struct httpd_reply *reply)
{
	static const char head[] = "{\"error\":{";
	struct buf whole = { 0 };

	if (reply->status < 400 || reply->body.n < sizeof(head) - 1 ||
	    memcmp(reply->body.p, head, sizeof(head) - 1) != 0)
		return;
	buf_printf(&whole, "%s\"code\":\"%d\",", head, reply->status);
	buf_add(&whole, reply->body.p + sizeof(head) - 1,
	    reply->body.n - (sizeof(head) - 1));
	buf_release(&reply->body);
	reply->body = whole;
}

void
app_put_url(const struct call *c, struct buf *out)
{
	const char *host = httpd_header(c->r, "Host");

	if (c->app->url != NULL)
		buf_text(out, c->app->url);
	else
		buf_printf(out, "%s://%s", c->app->scheme, host != NULL ? host
		    : c->app->address);
}

void
reply_store(struct httpd_reply *reply, enum store_result result,
    const struct why *why)
{
	switch (result) {
	case STORE_NO_RUN:
		reply_error(reply, 404, 0, "no such run");
		break;
	case STORE_CONFLICT:
		reply_error(reply, 409, 0, "this idempotency key came with "
		    "another body before");
		break;
	case STORE_ENDED:
		/* 403 with code 4 makes k6 stop sending */
		reply_error(reply, 403, 4, "the run has ended and takes no "
		    "more data");
		break;
	case STORE_FULL:
		reply_error(reply, 507, 0, "cannot store: %s", why->text);
		reply_field(reply, "Retry-After", "10");
		break;
	default:
		reply_error(reply, 500, 0, "cannot store: %s", why->text);
		break;
	}
}

struct span
app_new_owner(const struct call *c)
{
	return span_of(c->owner == store_everybody ? "" : c->owner);
}

bool
app_has_run(struct call *c)
{
	struct why why;
	enum store_result result = store_run_find(c->app->store, c->owner,
	    c->run, &why);

	if (result != STORE_DONE)
		reply_store(c->reply, result, &why);
	return result == STORE_DONE;
}

/* Does the path match? "*" takes a run's number, and sets *run. */
static bool
path_matches(const char *pattern, const char *path, int64_t *run)
{
	const char *star = strchr(pattern, '*'), *end;
	char digits[NUM_TEXT];
	size_t before, n;

	if (star == NULL)
		return strcmp(pattern, path) == 0;
	before = (size_t)(star - pattern);
	if (strncmp(pattern, path, before) != 0)
		return false;
	end = strchrnul(path + before, '/');
	n = (size_t)(end - path) - before;
	if (n == 0 || strcmp(star + 1, end) != 0)
		return false;
	*run = -1;	/* no run has it */
	if (n < sizeof(digits)) {
		memcpy(digits, path + before, n);
		digits[n] = '\0';
		if (!num_parse_int(digits, 1, INT64_MAX, run))
			*run = -1;
	}
	return true;
}

/* The route; NULL: reply says 404 or 405. */
static const struct route *
route_of(const struct httpd_request *r, int64_t *run,
    struct httpd_reply *reply)
{
	const struct route *route, *other = NULL;
	size_t i;

	for (i = 0; i < sizeof(route_tables) / sizeof(route_tables[0]); i++)
		for (route = route_tables[i]; route->method != NULL; route++) {
			if (!path_matches(route->path, r->path, run))
				continue;
			if (strcmp(route->method, r->method) == 0)
				return route;
			other = route;
		}
	if (other == NULL) {
		reply_error(reply, 404, 0, "nothing is here");
	} else {
		reply_error(reply, 405, 0, "the method is not %s",
		    other->method);
		reply_field(reply, "Allow", other->method);
	}
	return NULL;
}

/* The host and port of an URL, up to its path. */
static struct span
host_of(const char *url)
{
	const char *host = strstr(url, "://");

	host = host != NULL ? host + 3 : url;
	return (struct span){ host, strcspn(host, "/") };
}

/* On loopback, or with --url, only our own names are answered: a page elsewhere
 * that has its own name point to this address must not read or write here. */
static bool
is_our_host(const struct app *app, const char *host)
{
	static const char *const names[] = { "localhost", "127.0.0.1",
	    "[::1]" };
	char text[64];
	size_t i;

	if (host == NULL)
		return false;
	if (strcmp(host, app->address) == 0 || (app->url == NULL ?
	    !app->is_loopback : span_is(host_of(app->url), host)))
		return true;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(text, sizeof(text), "%s:%d", names[i],
		    app->port);
		if (strcmp(host, text) == 0 ||
		    (app->port == (strcmp(app->scheme, "https") == 0 ? 443
		    : 80) && strcmp(host, names[i]) == 0))
			return true;
	}
	return false;
}

/* That of our pages: by the name that was asked for, or by --url. */
static bool
is_our_origin(const struct app *app, const char *origin, const char *host)
{
	const char *name = strstr(origin, "://");
	size_t n = strlen(app->scheme);

	if (app->url != NULL && span_is(host_of(app->url), host))
		return strcmp(app->url, origin) == 0;
	return name != NULL && (size_t)(name - origin) == n &&
	    memcmp(origin, app->scheme, n) == 0 && strcmp(name + 3, host) == 0;
}

/* Bodies are JSON, so that no HTML form can send one. */
static bool
is_json(const struct httpd_request *r)
{
	const char *type = httpd_header(r, "Content-Type");
	const char *length = httpd_header(r, "Content-Length");

	if (type == NULL)
		return httpd_header(r, "Transfer-Encoding") == NULL &&
		    (length == NULL || strcmp(length, "0") == 0);
	return strncasecmp(type, "application/json", 16) == 0 &&
	    strchr("; \t", type[16]) != NULL;
}

/* Two statements of the body's length: proxies may disagree on which holds,
 * and then on where the next request begins (RFC 9112 section 6.1). */
static bool
is_ambiguous(const struct httpd_request *r)
{
	return httpd_header(r, "Content-Length") != NULL &&
	    httpd_header(r, "Transfer-Encoding") != NULL;
}

static bool
is_write(const struct httpd_request *r)
{
	return strcmp(r->method, "GET") != 0;
}

int
app_admit(void *ctx, struct httpd_request *r,
    struct httpd_reply *reply)
{
	struct app *app = ctx;
	const char *host = httpd_header(r, "Host");
	const char *origin = httpd_header(r, "Origin");
	const struct route *route;
	int64_t run;

	if (!is_our_host(app, host)) {
		reply_error(reply, 421, 0, "this server has another name");
		return -1;
	}
	if (is_ambiguous(r)) {
		reply_error(reply, 400, 0, "both Content-Length and "
		    "Transfer-Encoding");
		reply_field(reply, "Connection", "close");
		return -1;
	}
	if (is_write(r) && origin != NULL && !is_our_origin(app, origin, host)) {
		reply_error(reply, 403, 0, "not from that page");
		return -1;
	}
	route = route_of(r, &run, reply);
	if (route == NULL)
		return -1;
	if (token_check(app, r, route, run, reply) < 0) {
		if (route->is_newer)
			reply_newer_error(reply);
		return -1;
	}
	if (is_write(r) && !route->takes_any_type && !is_json(r)) {
		reply_error(reply, 415, 0, "the body must come with "
		    "\"Content-Type: application/json\"");
		return -1;
	}
	return 0;
}

void
app_answer(void *ctx, const struct httpd_request *r,
    struct httpd_reply *reply)
{
	struct call c = { .app = ctx, .r = r, .reply = reply };

	if (r->is_too_large) {
		reply_error(reply, 413, 0, "the body is larger than %zu bytes",
		    BODY_MAX);
		return;
	}
	c.route = route_of(r, &c.run, reply);
	if (c.route == NULL)
		return;
	c.owner = r->note != NULL ? r->note : store_everybody;
	if (c.route->access == ACCESS_WRITE)
		writer_add(c.app->writer, &c);
	else
		app_call(&c);
}

/* A page says in its own words that there is no such run. */
void
app_call(struct call *c)
{
	bool is_page = c->route->type != NULL;

	if (c->run == 0 || is_page || c->route->names_other || app_has_run(c))
		c->route->answer(c);
	if (c->route->is_newer)
		reply_newer_error(c->reply);
}
