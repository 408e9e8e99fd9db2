/* SPDX-License-Identifier: MIT */
/* Lets routes answer calls, and writes replies. */
#include "k6serve/http/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/run.h"
#include "k6serve/http/run_mark.h"
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
	size_t i = reply->texts[0] != NULL;

	free(reply->texts[i]);
	reply->texts[i] = text;
	reply_field(reply, name, text);
}

void
reply_drop_fields(struct httpd_reply *reply)
{
	size_t i;

	for (i = 0; i < sizeof(reply->texts) / sizeof(reply->texts[0]); i++) {
		free(reply->texts[i]);
		reply->texts[i] = NULL;
	}
	memset(reply->fields, 0, sizeof(reply->fields));
	free(reply->cause);
	reply->cause = NULL;
}

struct jsn_out
reply_json(struct httpd_reply *reply, int status)
{
	reply->status = status;
	reply->type = "application/json";
	reply->error = NULL;
	buf_reset(&reply->body);
	return (struct jsn_out){ .to = &reply->body };
}

void
reply_error(struct httpd_reply *reply, int status, enum error_code code,
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
	jsn_member_int(&o, "code", error_number(code, status));
	jsn_member_text(&o, "message", span_of(text));
	/* k6push makes a difference that the number does not. */
	if (code == ERROR_RUN_REMOVED)
		jsn_member_text(&o, "reason", SPAN("run_removed"));
	jsn_close(&o, '}');
	jsn_close(&o, '}');
	reply->error = error_name(code, status);
}

static bool
begins_with_one(const char *path, const char *const *beginnings)
{
	for (; *beginnings != NULL; beginnings++)
		if (strncmp(path, *beginnings, strlen(*beginnings)) == 0)
			return true;
	return false;
}

/* Does a browser open a page? */
static bool
wants_page(const struct httpd_request *r)
{
	static const char *const calls[] = { "/api/", "/cloud/",
	    "/provisioning/", "/v1/", "/v2/", NULL };
	const char *types = httpd_header(r, "Accept");

	return types != NULL && strstr(types, "text/html") != NULL &&
	    !begins_with_one(r->path, calls);
}

/* What an error's body tells, as text in HTML. */
static void
put_message(struct span body, struct buf *out)
{
	struct jsn j = jsn_of(body);
	struct buf scratch = { 0 };
	struct span key, text = SPAN("");
	size_t i;

	if (jsn_enter(&j, '{') && jsn_member(&j, &key) && jsn_enter(&j, '{'))
		while (jsn_member(&j, &key)) {
			if (span_is(key, "message"))
				(void)jsn_text(&j, &text);
			else
				(void)jsn_skip(&j);
		}
	text = jsn_plain(&scratch, text);
	for (i = 0; i < text.n; i++)
		if (strchr("<>&\"'", text.p[i]) != NULL)
			buf_printf(out, "&#%d;", text.p[i]);
		else
			buf_char(out, text.p[i]);
	buf_release(&scratch);
}

/* A plain page that needs nothing else: what it would load may be refused as
 * well. One of a failure that may pass is loaded again. */
static void
make_page(struct httpd_reply *reply)
{
	bool may_pass = reply->status == 503;
	struct buf page = { 0 };

	buf_printf(&page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width\">\n%s"
	    "<title>k6serve: %d</title>\n</head>\n<body>\n<main>\n"
	    "<h1>k6serve: %d</h1>\n<p>", may_pass ?
	    "<meta http-equiv=\"refresh\" content=\"5\">\n" : "",
	    reply->status, reply->status);
	put_message(buf_whole(&reply->body), &page);
	buf_printf(&page, "</p>\n%s</main>\n</body>\n</html>\n", may_pass ?
	    "<p>This page tries again every 5 seconds.</p>\n" : "");
	buf_release(&reply->body);
	reply->body = page;
	reply->type = "text/html; charset=utf-8";
	reply->error = NULL;
}

void
reply_as_asked(const struct httpd_request *r, struct httpd_reply *reply)
{
	static const char *const newer[] = { "/cloud/", "/provisioning/",
	    NULL };
	static const char *const ours[] = { "/api/", "/runs/", "/health",
	    "/metrics", "/ready", NULL };
	static const char head[] = "{\"error\":{\"code\":";
	size_t n = sizeof(head) - 1, digits;
	struct buf whole = { 0 };
	bool is_ours = begins_with_one(r->path, ours);

	if (reply->error != NULL && wants_page(r)) {
		make_page(reply);
		return;
	}
	if ((!is_ours && !begins_with_one(r->path, newer)) ||
	    reply->error == NULL || reply->body.n <= n ||
	    memcmp(reply->body.p, head, n) != 0)
		return;
	digits = strspn(reply->body.p + n, "0123456789");
	if (is_ours)
		buf_printf(&whole, "%s\"%s\"", head, reply->error);
	else
		buf_printf(&whole, "%s\"%.*s\"", head, (int)digits,
		    reply->body.p + n);
	reply->error = NULL;	/* it is as it was asked */
	buf_add(&whole, reply->body.p + n + digits,
	    reply->body.n - n - digits);
	buf_release(&reply->body);
	reply->body = whole;
}

void
call_put_url(const struct call *c, struct buf *out)
{
	const char *host = c->r->host;

	if (c->server->url != NULL)
		buf_text(out, c->server->url);
	else
		buf_printf(out, "%s://%s", c->server->scheme, host != NULL ?
		    host : c->server->address);
}

void
reply_cause(struct httpd_reply *reply, const struct why *why)
{
	free(reply->cause);
	reply->cause = xstrdup(why->text);
}

void
reply_store(struct httpd_reply *reply, enum store_result result,
    const struct why *why)
{
	if (result == STORE_FULL || result == STORE_BUSY ||
	    result == STORE_FAILED)
		reply_cause(reply, why);
	switch (result) {
	case STORE_NO_RUN:
		reply_error(reply, 404, ERROR_NO_SUCH_RUN, "no such run");
		break;
	case STORE_CONFLICT:
		reply_error(reply, 409, 0, "this idempotency key was used "
		    "with another body");
		break;
	case STORE_WITHDRAWN:
		reply_error(reply, 413, ERROR_KEY_WITHDRAWN,
		    "this batch's key was "
		    "withdrawn: nothing is taken under it any more");
		break;
	case STORE_ENDED:
		reply_error(reply, 403, ERROR_RUN_ENDED,
		    "the run has ended and takes no "
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
		/* the reason may tell where the database is */
		reply_error(reply, 503, ERROR_DATABASE_BUSY,
		    "the database is busy or away: try again");
		reply_field(reply, "Retry-After", "1");
		break;
	default:
		reply_error(reply, 500, 0, "cannot store: %s", why->text);
		break;
	}
}

void
call_fail(struct call *c, const struct why *why)
{
	reply_store(c->reply, store_last_failure(c->store), why);
}

struct span
call_new_owner(const struct call *c)
{
	return span_of(c->owner == store_everybody ? "" : c->owner);
}

const char *
call_name_of_last(const char *text, size_t n)
{
	if (n == 4 && strncmp(text, "last", n) == 0)
		return "";
	return n > 5 && strncmp(text, "last:", 5) == 0 ? text + 5 : NULL;
}

int64_t
call_find_last(struct call *c, struct span name)
{
	struct why why;
	int64_t run = store_run_last(c->store, c->owner, name, &why);

	if (run <= 0)
		reply_store(c->reply, run < 0 ?
		    store_last_failure(c->store) : STORE_NO_RUN, &why);
	return run > 0 ? run : 0;
}

/* The number of the run that the path calls the last. False: the reply says
 * why there is none. */
static bool
find_last(struct call *c)
{
	struct buf name = { 0 };
	size_t i, n = strcspn(c->last, "/");

	for (i = 0; i < n; i++)
		buf_char(&name, c->last[i] == HTTPD_SLASH ? '/' : c->last[i]);
	c->run = call_find_last(c, buf_whole(&name));
	buf_release(&name);
	return c->run > 0;
}

#define OTHER_DATABASE \
	"this run is in another database, not in the one of this server"

bool
call_has_run(struct call *c)
{
	const char *mark = httpd_header(c->r, RUN_DATABASE_HEADER);
	struct why why;
	enum store_result result = mark != NULL ?
	    run_mark_check(c->store, c->owner, c->run, mark, &why) :
	    store_run_find(c->store, c->owner, c->run, &why);

	if (result == STORE_CONFLICT)
		reply_error(c->reply, 404, ERROR_OTHER_DATABASE, OTHER_DATABASE
		    " (here, its number is that of another run)");
	else if (result == STORE_NO_RUN && (c->route->takes_data ||
	    c->route->is_of_push) && c->run > 0 &&
	    store_run_was(c->store, c->run, &why) > 0)
		reply_error(c->reply, 403, ERROR_RUN_REMOVED,
		    "the run was removed and takes no more data");
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

	if (id == NULL || run_mark_is_here(c->store, id))
		return true;
	reply_error(c->reply, 404, ERROR_OTHER_DATABASE, OTHER_DATABASE);
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
