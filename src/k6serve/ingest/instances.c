/* SPDX-License-Identifier: MIT */
/* Stores the states that the pushers of a run report; the run ends with the
 * worst. */
#include "k6serve/ingest/instances.h"

#include <ctype.h>

#include "base/units.h"
#include "data/jsn.h"
#include "data/run.h"
#include "k6serve/http/run_mark.h"
#include "k6serve/store/store_batch.h"
#include "k6serve/store/store_instance.h"

enum {
	NAME_BYTES = 250,
	ID_BYTES = 32,		/* hexadecimal digits */
};

static void
read_status(struct jsn *j, int *to)
{
	double value = 0;

	if (jsn_peek(j) < '0' || jsn_peek(j) > '9')
		(void)jsn_skip(j);
	else if (jsn_number(j, &value) && value < 100)
		*to = (int)value;
}

static bool
is_id(struct span text)
{
	size_t i;

	for (i = 0; i < text.n; i++)
		if (!isxdigit((unsigned char)text.p[i]))
			return false;
	return text.n <= ID_BYTES;
}

/* That of its k6push, by which others of the same name are told apart; what is
 * none is passed over. */
static void
read_id(struct jsn *j, struct span *to)
{
	struct span raw;

	if (jsn_text(j, &raw) && is_id(raw))
		*to = raw;
}

struct span
instances_push(const struct call *c)
{
	const char *id = httpd_header(c->r, RUN_PUSH_HEADER);
	struct span text = span_of(id != NULL ? id : "");

	return is_id(text) ? text : span_of("");
}

static void
read_state(struct jsn *j, struct store_instance *i, struct buf *name)
{
	struct span key, raw;

	(void)jsn_enter(j, '{');
	while (jsn_member(j, &key)) {
		if (span_is(key, "name") && jsn_peek(j) == '"') {
			if (jsn_text(j, &raw))
				jsn_unescape(name, raw);
		} else if (span_is(key, "id") && jsn_peek(j) == '"') {
			read_id(j, &i->id);
		} else if (span_is(key, "run_status")) {
			read_status(j, &i->run_status);
		} else if (span_is(key, "result_status")) {
			read_status(j, &i->result_status);
		} else if (span_is(key, "thresholds") &&
		    jsn_peek(j) == '{') {
			(void)jsn_value(j, &i->results);
		} else {
			(void)jsn_skip(j);
		}
	}
}

/* To one that ends: what is stored of what it sent, so that it sees what was
 * lost after an answer. */
static void
put_stored(const struct store_push_count *n, struct jsn_out *o)
{
	jsn_key(o, "stored_of_push");
	jsn_open(o, '{');
	jsn_member_int(o, "http_reqs", n->requests);
	jsn_member_int(o, "batches", n->batches);
	jsn_member_int(o, "unnamed", n->unnamed);
	jsn_close(o, '}');
}

/* Its state is stored: tell of which database the run is, and how many others
 * feed it by that name. */
static void
answer_put(struct call *c, const struct store_instance *i)
{
	struct buf mark = { 0 };
	struct jsn_out o;
	struct why why;
	bool is_end = i->run_status != RUN_RUNNING && i->id.n > 0;
	int64_t namesakes = store_instance_namesakes(c->store, i, &why);
	struct store_push_count n;
	enum store_result result = namesakes < 0 || (is_end &&
	    store_batch_count_push(c->store, c->run, i->id, &n, &why) < 0)
	    ? store_last_failure(c->store)
	    : run_mark_put(c->store, c->owner, c->run, &mark, &why);

	if (result != STORE_DONE) {
		reply_store(c->reply, result, &why);
	} else {
		o = reply_json(c->reply, 200);
		jsn_open(&o, '{');
		jsn_member_text(&o, "database", buf_whole(&mark));
		jsn_member_int(&o, "namesakes", namesakes);
		if (is_end)
			put_stored(&n, &o);
		jsn_close(&o, '}');
	}
	buf_release(&mark);
}

void
instances_answer(struct call *c)
{
	struct store_instance i = { .run = c->run, .run_status = RUN_RUNNING,
	    .results = SPAN("{}"), .seen_ns = now_unix_ns() };
	struct jsn j = jsn_of(c->r->body);
	struct buf name = { .max = NAME_BYTES };
	enum store_result result;
	struct why why;

	read_state(&j, &i, &name);
	i.name = buf_whole(&name);
	if (!jsn_done(&j)) {
		reply_error(c->reply, 400, 0, "%s (byte %zu)", j.error,
		    jsn_column(&j));
	} else if (name.n == 0 || name.is_full ||
	    i.run_status < RUN_RUNNING ||
	    i.run_status > RUN_ABORTED_BY_LIMIT) {
		reply_error(c->reply, 400, 0, "an instance needs a name of at "
		    "most %d bytes, and a run_status", NAME_BYTES);
	} else {
		result = store_instance_put(c->store, c->owner, &i, &why);
		if (result == STORE_DONE)
			answer_put(c, &i);
		else
			reply_store(c->reply, result, &why);
	}
	buf_release(&name);
}

struct worst {
	struct store_run *run;
	struct buf *results;
};

static int
add_instance(void *ctx, const struct store_instance *i)
{
	struct worst *w = ctx;
	int status = i->run_status == RUN_RUNNING ? RUN_ABORTED_BY_SYSTEM
	    : i->run_status;

	w->run->run_status = run_status_worse(w->run->run_status, status);
	w->run->result_status |= i->result_status != 0;
	if (w->results->n == 0 && !span_is(i->results, "{}"))
		buf_span(w->results, i->results);
	return 0;
}

int
instances_worst(struct call *c, struct store_run *run, struct buf *results)
{
	struct store_instance_query q = { c->owner, c->run };
	struct worst w = { run, results };
	struct why why;

	if (store_instances(c->store, &q, add_instance, &w, &why) < 0) {
		call_fail(c, &why);
		return -1;
	}
	if (results->n > 0 && span_is(run->results, "{}"))
		run->results = buf_whole(results);
	return 0;
}
