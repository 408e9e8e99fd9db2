/* SPDX-License-Identifier: MIT */
/* Handles the server's answers to the calls about a run. */
#include <ctype.h>
#include <stdlib.h>

#include "base/die.h"
#include "base/num.h"
#include "base/units.h"
#include "data/jsn.h"
#include "io/url.h"
#include "k6push/send/outcome.h"
#include "k6push/send/retry.h"
#include "k6push/send/run_api_priv.h"

enum {
	ID_MAX = 256,
	DATABASE_MAX = 40,
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

void
run_api_take_database(struct run_api *c, struct span id)
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

void
run_api_take_config(struct run_api *c, struct span config)
{
	struct why why;

	if (config.n == 0)
		return;
	buf_reset(&c->config);
	buf_span(&c->config, config);
	if (settings_from_json(c->settings, config, FROM_SERVER, &why) < 0)
		warnf("the server's config: %s", why.text);
}

int
run_api_take_id(struct run_api *c, const char *id, const char *from)
{
	if (is_usable_id(id)) {
		set_created(c, id);
		return 0;
	}
	warnf("%s: a run id that cannot be used: %s", from, id);
	c->state = RUN_API_FAILED;
	return -1;
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
	run_api_take_database(c, database);
	run_api_take_config(c, config);
	jsn_unescape(&id, raw);
	if (memchr(id.p, '\0', id.n) != NULL)
		buf_reset(&id);	/* what stands before it is another id */
	buf_text(&id, "");
	(void)run_api_take_id(c, id.p, "the server");
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
		warnf("the server's \"%s\" is not a count: %.*s", name,
		    text.n < 40 ? (int)text.n : 40, text.p);
		return false;
	}
	*out = (int64_t)d;
	return true;
}

/* {"http_reqs":N,"batches":M} */
static void
take_stored(struct run_api *c, struct jsn *j)
{
	struct span key;

	(void)jsn_enter(j, '{');
	while (jsn_member(j, &key))
		if (span_is(key, "batches"))
			(void)take_count(j, "batches", &c->stored_batches);
		else if (!span_is(key, "http_reqs"))
			(void)jsn_skip(j);
		else if (take_count(j, "stored", &c->stored_requests))
			c->has_stored = true;
}

/* {"http_reqs":N,"batches":M,"unnamed":K}: of what this push sent to a run that
 * others feed, too. Each of K batches may be one of it, as the server does not
 * know who sent them. */
static void
take_stored_of_push(struct run_api *c, struct jsn *j)
{
	int64_t requests = -1, batches = -1, unnamed = -1;
	struct span key;

	(void)jsn_enter(j, '{');
	while (jsn_member(j, &key))
		if (span_is(key, "http_reqs"))
			(void)take_count(j, "http_reqs", &requests);
		else if (span_is(key, "batches"))
			(void)take_count(j, "batches", &batches);
		else if (span_is(key, "unnamed"))
			(void)take_count(j, "unnamed", &unnamed);
		else
			(void)jsn_skip(j);
	if (!c->is_borrowed || requests < 0 || batches < 0 || unnamed < 0)
		return;
	c->stored_batches = batches + unnamed;
	c->has_stored = unnamed == 0;
	c->stored_requests = requests;
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
		else if (span_is(key, "stored_of_push") &&
		    jsn_peek(&j) == '{')
			take_stored_of_push(c, &j);
		else
			(void)jsn_skip(&j);
	}
	if (status <= RUN_ABORTED_BY_LIMIT)
		c->run_status = (int)status;
	c->result_status = result != 0;
}

/* Does the server refuse the key in the URL? It made no run then, and is asked
 * at once without. If it refuses that, too, the key was not the reason, and is
 * in the URL again when it is asked later. */
static bool
leaves_key_out(struct run_api *c, const struct fetch_reply *reply)
{
	if (c->is_finishing || !c->may_key_url || reply->status < 400 ||
	    reply->status == 401 || reply->status == 409 ||
	    outcome_of(reply) == OUTCOME_RETRY)
		return false;
	c->is_key_in_url = !c->is_key_in_url;
	if (c->is_key_in_url)
		return false;
	c->retry_at_ns = 0;
	c->state = RUN_API_WAITING;
	return true;
}

void
run_api_on_reply(void *ctx, const struct fetch_reply *reply)
{
	struct run_api *c = ctx;
	enum outcome outcome = outcome_of(reply);
	struct buf text = { 0 };

	if (leaves_key_out(c, reply))
		return;
	/* A page does not say what the API thinks of the run. */
	if ((outcome == OUTCOME_REFUSED || outcome == OUTCOME_SPLIT) &&
	    !outcome_is_of_api(reply))
		outcome = OUTCOME_HOLD;
	switch (outcome) {
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
		wait_for(c, outcome, text.p, reply->retry_after_ns);
		break;
	case OUTCOME_SPLIT:
	case OUTCOME_REFUSED:
	case OUTCOME_STOP:
		outcome_describe(reply, c->url, &text);
		warnf("%s", text.p);
		c->is_removed = outcome_is_removed(reply);
		c->state = RUN_API_FAILED;
		break;
	}
	buf_release(&text);
}

/* May the answer be another one later? An API that does not know the call will
 * not; a page, or no answer, does not come from it. */
static bool
is_worth_asking(const struct fetch_reply *reply)
{
	enum outcome outcome = outcome_of(reply);

	return outcome == OUTCOME_RETRY || (outcome == OUTCOME_HOLD &&
	    (reply->status == 401 || reply->status == 403 ||
	    !outcome_is_api_error(reply)));
}

/* {"database","namesakes"} */
static void
take_announced(struct run_api *c, struct span body)
{
	struct jsn j = jsn_of(body);
	int64_t namesakes = 0;
	struct span key, id;

	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key))
		if (span_is(key, "namesakes"))
			(void)take_count(&j, "namesakes", &namesakes);
		else if (!span_is(key, "database") || jsn_peek(&j) != '"')
			(void)jsn_skip(&j);
		else if (jsn_text(&j, &id))
			run_api_take_database(c, id);
	if (namesakes <= 0)
		return;
	free(c->own_instance);
	c->own_instance = xasprintf("%s-%.4s", c->instance, c->instance_id);
	warnf("run %s has another pusher named %s, which is running or was "
	    "killed: give each a name of its own (--instance)", c->id,
	    c->instance);
}

void
run_api_on_announced(void *ctx, const struct fetch_reply *reply)
{
	struct run_api *c = ctx;

	c->is_announcing = false;
	c->is_announced = !is_worth_asking(reply);
	if (!c->is_announced)
		c->announce_at_ns = now_monotonic_ns() + retry_pause_ns(
		    ++c->announce_failures + (outcome_of(reply) ==
		    OUTCOME_HOLD ? HOLD_FAILURES : 0),
		    reply->retry_after_ns);
	if (outcome_of(reply) == OUTCOME_ACKED)
		take_announced(c, reply->body);
}
