/* SPDX-License-Identifier: MIT */
/* Calls are answered by their routes, and replies written. */
#include "k6serve/http/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/run.h"
#include "k6serve/http/server.h"
#include "k6serve/store/store_run.h"

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

void
reply_own_field(struct httpd_reply *reply, const char *name, char *text)
{
	free(reply->text);
	reply->text = text;
	reply_field(reply, name, text);
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
	jsn_member_int(&o, "code", code != 0 ? code : status);
	jsn_member_text(&o, "message", span_of(text));
	jsn_close(&o, '}');
	jsn_close(&o, '}');
}

void
reply_as_asked(const struct httpd_request *r, struct httpd_reply *reply)
{
	static const char *const newer[] = { "/cloud/", "/provisioning/" };
	static const char head[] = "{\"error\":{\"code\":";
	size_t n = sizeof(head) - 1, digits;
	struct buf whole = { 0 };

	if ((strncmp(r->path, newer[0], strlen(newer[0])) != 0 &&
	    strncmp(r->path, newer[1], strlen(newer[1])) != 0) ||
	    reply->status < 400 || reply->body.n <= n ||
	    memcmp(reply->body.p, head, n) != 0)
		return;
	digits = strspn(reply->body.p + n, "0123456789");
	buf_printf(&whole, "%s\"%.*s\"", head, (int)digits,
	    reply->body.p + n);
	buf_add(&whole, reply->body.p + n + digits,
	    reply->body.n - n - digits);
	buf_release(&reply->body);
	reply->body = whole;
}

void
call_put_url(const struct call *c, struct buf *out)
{
	const char *host = httpd_header(c->r, "Host");

	if (c->server->url != NULL)
		buf_text(out, c->server->url);
	else
		buf_printf(out, "%s://%s", c->server->scheme, host != NULL ?
		    host : c->server->address);
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
		reply_error(reply, 409, 0, "this idempotency key was used "
		    "with another body");
		break;
	case STORE_WITHDRAWN:
		reply_error(reply, 413, 0, "this batch's key was "
		    "withdrawn: nothing is taken under it any more");
		break;
	case STORE_ENDED:
		/* 403 with code 4 makes k6 stop sending */
		reply_error(reply, 403, 4, "the run has ended and takes no "
		    "more data");
		break;
	case STORE_TOO_MUCH:
		reply_error(reply, 400, 0, "%s", why->text);
		break;
	case STORE_FULL:
		reply_error(reply, 507, 0, "cannot store: %s", why->text);
		reply_field(reply, "Retry-After", "10");
		break;
	case STORE_BUSY:
		reply_error(reply, 503, 0, "another process holds the "
		    "database: %s", why->text);
		reply_field(reply, "Retry-After", "1");
		break;
	default:
		reply_error(reply, 500, 0, "cannot store: %s", why->text);
		break;
	}
}

struct span
call_new_owner(const struct call *c)
{
	return span_of(c->owner == store_everybody ? "" : c->owner);
}

/* The number of the run that the path calls the last. False: the reply says
 * why there is none. */
static bool
find_last(struct call *c)
{
	struct span name = { c->last, strcspn(c->last, "/") };
	struct why why;

	c->run = store_run_last(c->store, c->owner, name, &why);
	if (c->run <= 0)
		reply_store(c->reply, c->run < 0 ? STORE_FAILED : STORE_NO_RUN,
		    &why);
	return c->run > 0;
}

bool
call_has_run(struct call *c)
{
	struct why why;
	enum store_result result = store_run_find(c->store, c->owner, c->run,
	    &why);

	if (result == STORE_NO_RUN && c->route->takes_data && c->run > 0 &&
	    store_run_was(c->store, c->run, &why) > 0)
		reply_error(c->reply, 403, 4, "the run was removed and takes "
		    "no more data");
	else if (result != STORE_DONE)
		reply_store(c->reply, result, &why);
	return result == STORE_DONE;
}

/* Who knows of which database the run is says so: in another one the number is
 * that of another run, or of none. False: the reply says so. */
static bool
is_our_database(struct call *c)
{
	const char *id = httpd_header(c->r, RUN_DATABASE_HEADER);

	if (id == NULL || strcmp(id, store_id(c->store)) == 0)
		return true;
	reply_error(c->reply, 404, 0, "this run is one of another database "
	    "than the one this server has now");
	return false;
}

void
call_answer(struct call *c)
{
	if (!is_our_database(c)) {
		reply_as_asked(c->r, c->reply);
		return;
	}
	if (c->last != NULL && !find_last(c)) {
		reply_as_asked(c->r, c->reply);
		return;
	}
	if (c->run == 0 || c->route->takes_any_run || c->route->names_other ||
	    call_has_run(c))
		c->route->answer(c);
	reply_as_asked(c->r, c->reply);
}
