/* SPDX-License-Identifier: MIT */
/* The calls that create a run, ask about it and finish it. */
#include "k6push/send/run_api.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/die.h"
#include "base/num.h"
#include "base/units.h"
#include "data/jsn.h"
#include "io/url.h"
#include "k6push/send/outcome.h"
#include "k6push/send/retry.h"

struct run_api {
	struct fetcher *fetcher;
	struct settings *settings;
	enum run_api_state state;
	bool is_finishing;	/* the call is that of finish */
	bool is_borrowed;
	const char *instance;	/* borrowed; NULL: none announced */
	struct buf announcement;
	int run_status, result_status;
	int64_t unknown;	/* thresholds, says the server */
	bool allows_http, is_patient;
	char *host, *token;	/* as they were before any override */
	char *url;		/* of the call */
	char *ingest_host;
	char *page_url;
	char *id, *escaped_id;	/* the latter for URLs */
	char *database;		/* NULL: not known */
	struct buf config;
	const char *key;	/* of the call: the same over all tries */
	struct buf body;
	int failures;
	enum outcome told;	/* of the last failure */
	int64_t retry_at_ns;
	bool has_stored;
	int64_t stored_requests;
};

/* A token with a control character would end the header early. */
static int
check_token(const struct settings *s, enum setting id,
    struct why *why)
{
	const char *p = settings_text(s, id);

	for (; p != NULL && *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return why_set(why, "the token (K6_CLOUD_%s) has a "
			    "line end or another control character",
			    id == SET_TOKEN ? "TOKEN" : "TEST_RUN_TOKEN");
	return 0;
}

struct run_api *
run_api_new(const struct run_api_config *config, struct why *why)
{
	struct settings *settings = config->settings;
	const char *host = settings_text(settings, SET_HOST);
	const char *token = settings_text(settings, SET_TOKEN);
	struct run_api *c;

	if (check_token(settings, SET_TOKEN, why) < 0 ||
	    check_token(settings, SET_TEST_RUN_TOKEN, why) < 0 ||
	    url_check_server(host, token != NULL, config->allows_http,
		why) < 0)
		return NULL;
	c = xcalloc(1, sizeof(*c));
	c->fetcher = config->fetcher;
	c->settings = settings;
	c->allows_http = config->allows_http;
	c->is_patient = config->is_patient;
	c->host = xstrdup(host);
	c->token = token != NULL ? xstrdup(token) : NULL;
	return c;
}

void
run_api_free(struct run_api *c)
{
	if (c == NULL)
		return;
	if (c->token != NULL)
		explicit_bzero(c->token, strlen(c->token));
	free(c->host);
	free(c->token);
	free(c->url);
	free(c->ingest_host);
	free(c->page_url);
	free(c->id);
	free(c->escaped_id);
	free(c->database);
	buf_release(&c->body);
	buf_release(&c->config);
	buf_release(&c->announcement);
	free(c);
}

enum run_api_state
run_api_state(const struct run_api *c)
{
	return c->state;
}

struct run_facts
run_api_facts(const struct run_api *c)
{
	return (struct run_facts){ .id = c->id, .escaped_id = c->escaped_id,
	    .ingest_host = c->ingest_host, .page_url = c->page_url,
	    .database = c->database,
	    .config = buf_whole(&c->config), .is_borrowed = c->is_borrowed,
	    .run_status = c->run_status, .result_status = c->result_status,
	    .has_stored = c->has_stored,
	    .stored_requests = c->stored_requests,
	    .unknown = c->unknown };
}

const char *
run_api_host(const struct run_api *c)
{
	return c->host;
}

enum {
	ID_MAX = 256,
	DATABASE_MAX = 40,
	HOLD_FAILURES = 4,	/* nothing changes in half a second */
};

/* A path segment's escapes (RFC 3986); '/' stays, as in k6. */
static char *
escape_id(const char *id)
{
	struct buf out = { 0 };

	for (; *id != '\0'; id++)
		if (isalnum((unsigned char)*id) ||
		    strchr("-._~/", *id) != NULL)
			buf_char(&out, *id);
		else
			buf_printf(&out, "%%%02X", (unsigned char)*id);
	buf_text(&out, "");
	return out.p;
}

/* An id becomes part of URLs and of messages. */
static bool
is_usable_id(const char *id)
{
	const char *p;

	for (p = id; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return p != id && strlen(id) <= ID_MAX && strstr(id, "..") == NULL;
}

/* Where runs are shown. Who makes a run is told; of a run that another has
 * made, a server that is not the cloud's shows it itself. */
static const char *
pages_of(const struct run_api *c)
{
	const struct setting_value *v = c->settings->v;

	return c->is_borrowed && v[SET_WEB_APP_URL].source == FROM_DEFAULT &&
	    v[SET_HOST].source != FROM_DEFAULT ? c->host
	    : settings_text(c->settings, SET_WEB_APP_URL);
}

/* What the server says of its database, once. It becomes part of a header. */
static void
take_database(struct run_api *c, struct span id)
{
	size_t i;

	for (i = 0; i < id.n; i++)
		if (!isxdigit((unsigned char)id.p[i]))
			return;
	if (id.n > 0 && id.n <= DATABASE_MAX && c->database == NULL)
		c->database = xstrndup(id.p, id.n);
}

/* The run is known: where its samples go and where it is shown. */
static void
set_created(struct run_api *c, const char *id)
{
	const char *host = settings_text(c->settings, SET_HOST);
	const char *details = settings_text(c->settings,
	    SET_TEST_RUN_DETAILS);
	struct why why;

	if (url_check_server(host, settings_text(c->settings, SET_TOKEN) !=
	    NULL, c->allows_http, &why) < 0) {
		warnf("the server names a host that is not to be used: %s",
		    why.text);
		host = c->host;
	}
	c->ingest_host = xstrdup(host);
	c->escaped_id = escape_id(id);
	c->page_url = details != NULL
	    ? xstrdup(details)
	    : xasprintf("%s/runs/%s", pages_of(c), id);
	c->id = xstrdup(id);
	c->state = RUN_API_CREATED;
}

static void
take_config(struct run_api *c, struct span config)
{
	struct why why;

	if (config.n == 0)
		return;
	buf_reset(&c->config);
	buf_span(&c->config, config);
	if (settings_from_json(c->settings, config, FROM_SERVER, &why) < 0)
		warnf("the server's config: %s", why.text);
}

/* -1, told: an id that does not fit into URLs. */
static int
take_id(struct run_api *c, const char *id, const char *from)
{
	if (is_usable_id(id)) {
		set_created(c, id);
		return 0;
	}
	warnf("%s: a run id that cannot be used: %s", from, id);
	c->state = RUN_API_FAILED;
	return -1;
}

void
run_api_adopt(struct run_api *c, const struct run_known *known)
{
	c->is_borrowed = known->is_borrowed;
	if (known->database != NULL)
		take_database(c, span_of(known->database));
	take_config(c, known->config);
	(void)take_id(c, known->id, known->from);
}

/* Log lines that the server sends along: [{"level","message"}]. */
static void
print_logs(struct span logs)
{
	struct jsn j = jsn_of(logs);
	struct buf level = { 0 }, message = { 0 };
	struct span key, raw;

	(void)jsn_enter(&j, '[');
	while (jsn_element(&j) && jsn_enter(&j, '{')) {
		buf_reset(&level);
		buf_reset(&message);
		while (jsn_member(&j, &key)) {
			if (jsn_peek(&j) != '"' || (!span_is(key, "level") &&
			    !span_is(key, "message")))
				(void)jsn_skip(&j);
			else if (jsn_text(&j, &raw))
				jsn_unescape(span_is(key, "level") ? &level
				    : &message, raw);
		}
		if (message.n > 0)
			warnf("server: %s: %s", level.n > 0 ? level.p
			    : "error", message.p);
	}
	buf_release(&level);
	buf_release(&message);
}

/* Try again later, if there is sense in it; say so once. */
static void
wait_for(struct run_api *c, enum outcome outcome, const char *text,
    int64_t retry_after_ns)
{
	bool is_hold = outcome == OUTCOME_HOLD;
	bool is_news = c->failures++ == 0 || outcome != c->told;

	c->told = outcome;
	c->state = is_hold && !c->is_patient ? RUN_API_FAILED
	    : RUN_API_WAITING;
	c->retry_at_ns = now_monotonic_ns() + retry_pause_ns(c->failures +
	    (is_hold ? HOLD_FAILURES : 0), retry_after_ns);
	if (is_news)
		warnf("%s%s", text, c->state == RUN_API_WAITING
		    ? "; still retrying" : "");
}

static void
take_created(struct run_api *c, struct span body)
{
	struct span key, raw = { NULL, 0 }, config = { NULL, 0 };
	struct span logs = { NULL, 0 }, database = { NULL, 0 };
	struct jsn j = jsn_of(body);
	struct buf id = { 0 };

	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key)) {
		if (span_is(key, "reference_id") && jsn_peek(&j) == '"')
			(void)jsn_text(&j, &raw);
		else if (span_is(key, "database") && jsn_peek(&j) == '"')
			(void)jsn_text(&j, &database);
		else if (span_is(key, "config") && jsn_peek(&j) == '{')
			(void)jsn_value(&j, &config);
		else if (span_is(key, "logs") && jsn_peek(&j) == '[')
			(void)jsn_value(&j, &logs);
		else
			(void)jsn_skip(&j);
	}
	if (j.error != NULL || raw.n == 0) {
		wait_for(c, OUTCOME_HOLD, "failed to get a reference ID", -1);
		return;
	}
	if (c->failures > 0)
		warnf("the server answers again");
	c->failures = 0;
	if (logs.n > 0)
		print_logs(logs);
	take_database(c, database);
	take_config(c, config);
	jsn_unescape(&id, raw);
	if (memchr(id.p, '\0', id.n) != NULL)
		buf_reset(&id);	/* what stands before it is another id */
	buf_text(&id, "");
	(void)take_id(c, id.p, "the server");
	buf_release(&id);
}

/* A whole number from 0 to 2^53. False, told if it is another number or none at
 * all; null is none, as if it were not there. */
static bool
take_count(struct jsn *j, const char *name, int64_t *out)
{
	struct span text;
	double d;

	if (!jsn_value(j, &text) || span_is(text, "null"))
		return false;
	if (num_parse(text.p, text.n, &d) != text.n || d < 0 || d > 0x1p53 ||
	    d != (double)(int64_t)d) {
		warnf("the server's \"%s\" is no count: %.*s", name,
		    text.n < 40 ? (int)text.n : 40, text.p);
		return false;
	}
	*out = (int64_t)d;
	return true;
}

/* {"http_reqs":N} */
static void
take_stored(struct run_api *c, struct jsn *j)
{
	struct span key;

	(void)jsn_enter(j, '{');
	while (jsn_member(j, &key))
		if (!span_is(key, "http_reqs"))
			(void)jsn_skip(j);
		else if (take_count(j, "stored", &c->stored_requests))
			c->has_stored = true;
}

/* k6serve tells what it has stored of the run; other servers do not. */
static void
take_finished(struct run_api *c, struct span body)
{
	struct jsn j = jsn_of(body);
	int64_t status = 0, result = 0;
	struct span key;

	if (c->failures > 0)
		warnf("the server answers again");
	c->failures = 0;
	c->state = RUN_API_FINISHED;
	if (!jsn_enter(&j, '{'))
		return;
	while (jsn_member(&j, &key)) {
		if (span_is(key, "run_status"))
			(void)take_count(&j, "run_status", &status);
		else if (span_is(key, "result_status"))
			(void)take_count(&j, "result_status", &result);
		else if (span_is(key, "unknown"))
			(void)take_count(&j, "unknown", &c->unknown);
		else if (span_is(key, "stored") && jsn_peek(&j) == '{')
			take_stored(c, &j);
		else
			(void)jsn_skip(&j);
	}
	if (status <= RUN_ABORTED_BY_LIMIT)
		c->run_status = (int)status;
	c->result_status = result != 0;
}

static void
on_reply(void *ctx, const struct fetch_reply *reply)
{
	struct run_api *c = ctx;
	struct buf text = { 0 };

	switch (outcome_of(reply)) {
	case OUTCOME_ACKED:
		if (c->is_finishing)
			take_finished(c, reply->body);
		else
			take_created(c, reply->body);
		return;
	case OUTCOME_HOLD:
		if (c->is_finishing && c->is_borrowed &&
		    reply->status >= 400 && c->database == NULL) {
			/* A server that knows no instances. */
			c->state = RUN_API_FINISHED;
			return;
		}
		/* FALLTHROUGH */
	case OUTCOME_RETRY:
		outcome_describe(reply, c->url, &text);
		wait_for(c, outcome_of(reply), text.p, reply->retry_after_ns);
		break;
	case OUTCOME_SPLIT:
	case OUTCOME_REFUSED:
	case OUTCOME_STOP:
		outcome_describe(reply, c->url, &text);
		warnf("%s", text.p);
		c->state = RUN_API_FAILED;
		break;
	}
	buf_release(&text);
}

/* Write the header that says of which database the run is. False: it is not
 * known. */
static bool
put_database(const struct run_api *c, char *text, size_t size)
{
	if (c->database == NULL)
		return false;
	(void)snprintf(text, size, RUN_DATABASE ": %s", c->database);
	return true;
}

static void
start_call(struct run_api *c)
{
	int n = 2;
	int64_t stack = settings_int(c->settings, SET_STACK_ID);
	char key[48], stack_id[32];
	char database[64];
	const char *headers[] = { "Content-Type: application/json", key,
	    NULL, NULL, NULL };
	struct fetch_request request = { .url = c->url, .headers = headers,
	    .token = c->token, .is_post = true,
	    .body = { c->body.p, c->body.n } };
	struct why why;

	(void)snprintf(key, sizeof(key), "K6-Idempotency-Key: %s", c->key);
	(void)snprintf(stack_id, sizeof(stack_id), "X-Stack-Id: %lld",
	    (long long)stack);
	if (put_database(c, database, sizeof(database)))
		headers[n++] = database;
	if (stack != 0)
		headers[n++] = stack_id;
	c->state = RUN_API_CALLING;
	if (fetch_start(c->fetcher, &request, on_reply, c, &why) < 0) {
		warnf("%s", why.text);
		c->state = RUN_API_FAILED;
	}
}

void
run_api_start(struct run_api *c)
{
	if (c->state == RUN_API_WAITING &&
	    now_monotonic_ns() >= c->retry_at_ns)
		start_call(c);
}

void
run_api_create(struct run_api *c, const struct run_plan *plan,
    const char *key)
{
	const char *ref = settings_text(c->settings, SET_PUSH_REF_ID);
	int64_t project = settings_int(c->settings, SET_PROJECT_ID);
	struct jsn_out o = { .to = &c->body };

	if (ref != NULL) {
		c->is_borrowed = true;
		(void)take_id(c, ref, "K6_CLOUD_PUSH_REF_ID");
		return;
	}
	if (project == 0)
		project = settings_int(c->settings, SET_DEFAULT_PROJECT_ID);
	jsn_open(&o, '{');
	jsn_key(&o, "name");
	jsn_put_text(&o, span_of(plan->name));
	if (project != 0) {
		jsn_key(&o, "project_id");
		jsn_put_int(&o, project);
	}
	jsn_key(&o, "vus");
	jsn_put_int(&o, plan->vus);
	jsn_key(&o, "thresholds");
	jsn_put_raw(&o, plan->thresholds);
	if (plan->is_shared) {
		jsn_key(&o, "process_thresholds");
		jsn_put_bool(&o, true);
	}
	jsn_key(&o, "duration");
	jsn_put_int(&o, plan->duration_ns > 0 ? plan->duration_ns / NS_PER_S
	    : -1);
	jsn_close(&o, '}');
	c->url = xasprintf("%s/v1/tests", c->host);
	c->key = key;
	start_call(c);
}

/* {"name","result_status","run_status",...} of the finish call, or of an
 * instance. */
static void
print_state(const struct run_api *c, const struct run_result *result,
    struct buf *out)
{
	struct jsn_out o = { .to = out };

	jsn_open(&o, '{');
	if (c->is_borrowed)
		jsn_member_text(&o, "name", span_of(c->instance));
	jsn_member_int(&o, "result_status", result->result_status);
	jsn_member_int(&o, "run_status", result->run_status);
	jsn_member_raw(&o, "thresholds", result->thresholds);
	if (result->start_ns != 0)
		jsn_member_time(&o, "data_start", result->start_ns);
	if (result->end_ns != 0)
		jsn_member_time(&o, "data_end", result->end_ns);
	if (result->start_ns != 0 && result->is_dated)
		jsn_member_time(&o, "start", result->start_ns);
	if (result->end_ns != 0 && result->is_dated)
		jsn_member_time(&o, "end", result->end_ns);
	if (result->is_worst) {
		jsn_key(&o, "worst_of_instances");
		jsn_put_bool(&o, true);
	}
	jsn_close(&o, '}');
}

void
run_api_finish(struct run_api *c, const struct run_result *result,
    const char *key)
{
	if (c->is_borrowed && c->instance == NULL) {
		c->state = RUN_API_FINISHED;
		return;
	}
	buf_reset(&c->body);
	print_state(c, result, &c->body);
	free(c->url);
	c->url = xasprintf("%s/v1/tests/%s%s", c->host, c->escaped_id,
	    c->is_borrowed ? "/instances" : "");
	c->key = key;
	c->is_finishing = true;
	start_call(c);
}

static void
on_announced(void *ctx, const struct fetch_reply *reply)
{
	struct jsn j = jsn_of(reply->body);
	struct run_api *c = ctx;
	struct span key, id;

	if (outcome_of(reply) != OUTCOME_ACKED || !jsn_enter(&j, '{'))
		return;
	while (jsn_member(&j, &key))
		if (!span_is(key, "database") || jsn_peek(&j) != '"')
			(void)jsn_skip(&j);
		else if (jsn_text(&j, &id))
			take_database(c, id);
}

void
run_api_announce(struct run_api *c, const char *instance)
{
	char database[64];
	const char *const headers[] = { "Content-Type: application/json",
	    put_database(c, database, sizeof(database)) ? database : NULL,
	    NULL };
	struct run_result running = { .run_status = RUN_RUNNING,
	    .thresholds = SPAN("{}") };
	char *url = xasprintf("%s/v1/tests/%s/instances", c->host,
	    c->escaped_id);
	struct fetch_request request = { .url = url, .headers = headers,
	    .token = c->token, .is_post = true };

	c->instance = instance;
	buf_reset(&c->announcement);
	print_state(c, &running, &c->announcement);
	request.body = buf_whole(&c->announcement);
	(void)fetch_start(c->fetcher, &request, on_announced, c, NULL);
	free(url);
}
