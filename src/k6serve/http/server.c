/* SPDX-License-Identifier: MIT */
/* Refuses requests, or finds their route and thread. */
#include "k6serve/http/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/units.h"
#include "k6serve/http/access.h"

/* Does the path match? "*" takes a run's number, and sets c's run, or last. */
static bool
path_matches(const struct route *route, struct call *c)
{
	const char *pattern = route->path, *path = c->r->path;
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
	c->run = -1;	/* no run has it */
	c->last = route->words != NULL || route->takes_last ?
	    call_name_of_last(path + before, n) : NULL;
	if (n < sizeof(digits)) {
		memcpy(digits, path + before, n);
		digits[n] = '\0';
		if (!num_parse_int(digits, 1, INT64_MAX, &c->run))
			c->run = -1;
	}
	return true;
}

/* Find the route, and set c's route, ctx and run. False: there is none; other
 * is one of that path for another method, or NULL. */
static bool
match_route(const struct server_config *config, struct call *c,
    const struct route **other)
{
	const struct route_table *table;
	const struct route *route;

	*other = NULL;
	for (table = config->tables; table->routes != NULL; table++)
		for (route = table->routes; route->method != NULL; route++) {
			if (!path_matches(route, c))
				continue;
			if (strcmp(route->method, c->r->method) == 0) {
				c->route = route;
				c->ctx = table->ctx;
				return true;
			}
			*other = route;
		}
	return false;
}

/* The same; false: reply says 404 or 405. */
static bool
find_route(const struct server_config *config, struct call *c)
{
	const struct route *other;

	if (match_route(config, c, &other))
		return true;
	if (other == NULL) {
		reply_error(c->reply, 404, ERROR_NO_SUCH_PATH, "no such path");
	} else {
		reply_error(c->reply, 405, 0, "the method must be %s",
		    other->method);
		reply_field(c->reply, "Allow", other->method);
	}
	return false;
}

/* The host and port of an URL, up to its path. */
static struct span
host_of(const char *url)
{
	const char *host = strstr(url, "://");

	host = host != NULL ? host + 3 : url;
	return (struct span){ host, strcspn(host, "/") };
}

/* The names of this machine, for those that are on it. */
static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };

bool
server_url_is_local(const char *url)
{
	struct span host = host_of(url);
	size_t i, n;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		n = strlen(names[i]);
		if (host.n >= n && memcmp(host.p, names[i], n) == 0 &&
		    (host.n == n || host.p[n] == ':'))
			return true;
	}
	return false;
}

/* On loopback, or with --url, only our own names are answered: a page elsewhere
 * that has its own name point to this address must not read or write here. */
static bool
is_our_host(const struct server_config *config, const char *host)
{
	char text[64];
	size_t i;

	if (host == NULL)
		return false;
	if (strcmp(host, config->address) == 0 || (config->url == NULL ?
	    !config->is_loopback : span_is(host_of(config->url), host)))
		return true;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(text, sizeof(text), "%s:%d", names[i],
		    config->port);
		if (strcmp(host, text) == 0 ||
		    (config->port == (strcmp(config->scheme, "https") == 0 ? 443
		    : 80) && strcmp(host, names[i]) == 0))
			return true;
	}
	return false;
}

/* That of our pages: by the name that was asked for, or by --url. */
static bool
is_our_origin(const struct server_config *config, const char *origin,
    const char *host)
{
	const char *name = strstr(origin, "://");
	size_t n = strlen(config->scheme);

	if (config->url != NULL && span_is(host_of(config->url), host))
		return strcmp(config->url, origin) == 0;
	return name != NULL && (size_t)(name - origin) == n &&
	    memcmp(origin, config->scheme, n) == 0 &&
	    strcmp(name + 3, host) == 0;
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

static bool
is_form(const struct httpd_request *r)
{
	const char *type = httpd_header(r, "Content-Type");

	return type != NULL && strncasecmp(type, "multipart/form-data;", 20) ==
	    0;
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

/* Has the query words only that its route knows, each once? -1: the reply says
 * that it has not. */
static int
check_query(const struct call *c)
{
	const char *words = c->route->words, *name;

	name = httpd_query_other(c->r, words);
	if (name != NULL) {
		reply_error(c->reply, 400, ERROR_UNKNOWN_PARAMETER,
		    "unknown parameter \"%.100s\"%s%s", name,
		    words[0] != '\0' ? "; there are: " : "", words);
		return -1;
	}
	name = httpd_query_twice(c->r);
	if (name != NULL) {
		reply_error(c->reply, 400, ERROR_BAD_PARAMETER,
		    "%.100s comes twice", name);
		return -1;
	}
	return 0;
}

static int
admit(void *ctx, struct httpd_request *r, struct httpd_reply *reply)
{
	struct server *server = ctx;
	const struct server_config *config = server->config;
	const char *origin = httpd_header(r, "Origin");
	struct call c = { .r = r, .reply = reply };
	const struct route *other;

	if (r->fault != NULL) {
		reply_error(reply, 400, 0, "the request's head is refused: %s",
		    r->fault);
		reply_field(reply, "Connection", "close");
		return -1;
	}
	if (!is_our_host(config, r->host) &&
	    !(match_route(config, &c, &other) && c.route->takes_any_host)) {
		reply_error(reply, 421, 0, "this server does not have the "
		    "name and port in Host: give it with --url");
		return -1;
	}
	if (is_ambiguous(r)) {
		reply_error(reply, 400, 0, "the request has both "
		    "Content-Length and Transfer-Encoding");
		reply_field(reply, "Connection", "close");
		return -1;
	}
	if (is_write(r) && origin != NULL &&
	    !is_our_origin(config, origin, r->host)) {
		reply_error(reply, 403, ERROR_CROSS_SITE,
		    "pages of other sites may not "
		    "write here");
		return -1;
	}
	if (!find_route(config, &c))
		return -1;
	r->class = (int)meter_class_of(c.route);
	if (access_check(server, r, c.route, c.run, reply) < 0)
		return -1;
	if (c.route->words != NULL && check_query(&c) < 0)
		return -1;
	if (is_write(r) && !c.route->takes_any_type && !is_json(r) &&
	    !(c.route->takes_form && is_form(r))) {
		reply_error(reply, 415, 0, "the body must come with "
		    "\"Content-Type: application/json\"");
		return -1;
	}
	return 0;
}

int
server_admit(void *ctx, struct httpd_request *r, struct httpd_reply *reply)
{
	int status = admit(ctx, r, reply);

	if (status < 0)
		reply_as_asked(r, reply);
	return status;
}

enum {
	READS_PART = 4,		/* of all connections, may wait for answers */
	/* For a sign of a database that is a server: a large page sorts for
	 * seconds before it has one. */
	SILENCE_MS = 30000,
	SHORT_SILENCE_MS = 3000,
};

/* On the writer's thread, maybe twice, or a reader's: what was written before
 * is dropped. */
static void
answer_deferred(void *ctx, struct store *store)
{
	struct call *c = ctx;

	buf_reset(&c->reply->body);
	reply_drop_fields(c->reply);
	c->store = store;
	c->stored = (struct call_stored){ 0 };
	call_answer(c);
}

static void
end_deferred(void *ctx)
{
	struct call *c = ctx;

	meter_stored(c->meter, &c->stored);
	httpd_answered(c->r);
	free(c);
}

static struct call *
defer(const struct call *c)
{
	struct call *copy = xmalloc(sizeof(*copy));

	*copy = *c;
	httpd_defer(c->r);
	return copy;
}

static void
defer_write(struct writer *writer, const struct call *c)
{
	writer_add(writer, &(struct writer_job){ answer_deferred,
	    end_deferred, defer(c) });
}

/* A call that a reader answers. */
struct read_call {
	struct call call;
	struct readers *readers;
};

static bool
is_unwanted(void *ctx)
{
	struct read_call *rc = ctx;

	return httpd_is_gone(rc->call.r);
}

static void
read_deferred(void *ctx, struct store *store)
{
	struct read_call *rc = ctx;
	struct httpd_reply *reply = rc->call.reply;

	reply->body.max = ANSWER_MAX;
	answer_deferred(&rc->call, store);
	if (!reply->body.is_full)
		return;
	buf_release(&reply->body);
	reply_drop_fields(reply);
	reply_error(reply, 400, ERROR_ANSWER_TOO_LARGE,
	    "the answer is larger than %zu MiB: ask "
	    "for less, with a larger step or a smaller limit",
	    ANSWER_MAX >> 20);
	reply_as_asked(rc->call.r, reply);
}

static void
release_answer(void *ctx, size_t held)
{
	readers_release(ctx, held);
}

static void
end_read(void *ctx)
{
	struct read_call *rc = ctx;
	struct httpd_reply *reply = rc->call.reply;

	reply->held = reply->body.cap;
	reply->over = release_answer;
	reply->over_ctx = rc->readers;
	readers_hold(rc->readers, reply->held);
	httpd_answered(rc->call.r);
	free(rc);
}

/* The reply stays what it is here if the server ends before. */
static void
defer_read(struct readers *readers, const struct call *c)
{
	size_t most = httpd_connections_max(c->r->server) / READS_PART;
	struct read_call *rc = xmalloc(sizeof(*rc));

	*rc = (struct read_call){ *c, readers };
	reply_error(c->reply, 503, 0, "too many others wait for answers");
	reply_field(c->reply, "Retry-After", "1");
	reply_as_asked(c->r, c->reply);
	httpd_defer(c->r);
	if (!readers_add(readers, &(struct readers_job){ read_deferred,
	    is_unwanted, end_read, c->route->is_short ? SHORT_SILENCE_MS :
	    SILENCE_MS, rc }, most))
		end_read(rc);
}

void
server_tick(struct server *server, struct httpd *h)
{
	httpd_tick(h);
	if (readers_are_short(server->readers))
		httpd_shed_reply(h);
}

void
server_answer(void *ctx, const struct httpd_request *r,
    struct httpd_reply *reply)
{
	struct server *server = ctx;
	struct call c = { .server = server->config, .store = server->store,
	    .r = r, .reply = reply, .meter = &server->meter,
	    .owner = r->note != NULL ? r->note : store_everybody };

	if (r->is_too_large) {
		reply_error(reply, 413, 0, "the body is larger than %zu bytes",
		    BODY_MAX);
		reply_as_asked(r, reply);
	} else if (!find_route(server->config, &c)) {
		reply_as_asked(r, reply);
	} else if (c.route->access == ACCESS_WRITE) {
		defer_write(server->writer, &c);
	} else if (c.route->access == ACCESS_READ && !c.route->is_quick) {
		defer_read(server->readers, &c);
	} else {
		call_answer(&c);
	}
}

/* What those who went away did not wait for is no trouble. */
static void
watch_database(struct server *server, const struct httpd_request *r,
    const struct httpd_reply *reply)
{
	bool is_write = r->class == METER_PUSH || r->class == METER_WRITE;
	struct trouble *t = is_write ? &server->writes : &server->reads;
	const char *kind = is_write ? "writes" : "reads";

	if (reply->cause != NULL && reply->status >= 500 &&
	    !httpd_is_gone(r))
		trouble_refuse(t, kind, reply->cause, reply->status,
		    now_monotonic_ns());
	else if (reply->status < 400 && (is_write || r->class == METER_READ))
		trouble_answer(t, kind, now_monotonic_ns());
}

void
server_replied(void *ctx, const struct httpd_request *r,
    const struct httpd_reply *reply)
{
	struct server *server = ctx;

	meter_reply(&server->meter, r, reply);
	watch_database(server, r, reply);
}
