/* SPDX-License-Identifier: MIT */
/* ingest: k6's cloud API from the receiving side (PROTOCOL 3). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/units.h"
#include "data/run.h"
#include "io/gz.h"
#include "k6serve/http/digest.h"
#include "k6serve/ingest/batch.h"
#include "k6serve/ingest/body.h"
#include "k6serve/ingest/ingest.h"
#include "k6serve/ingest/instances.h"
#include "k6serve/ingest/provision.h"
#include "k6serve/ingest/told.h"
#include "k6serve/ingest/verdicts.h"
#include "k6serve/judge/judge_run.h"

const struct ingest_config *
ingest_config_of(const struct call *c)
{
	return c->ctx;
}

struct span
ingest_key(const struct call *c)
{
	const char *key = httpd_header(c->r, "K6-Idempotency-Key");

	if (key == NULL)
		key = httpd_query(c->r, "key");
	return span_of(key != NULL ? key : "");
}

int
ingest_plain_body(struct call *c, struct span *body, struct buf *out)
{
	int is_gzip = body_is_coded(c, "gzip"), status;
	struct why why;

	*body = c->r->body;
	if (is_gzip <= 0)
		return is_gzip;
	status = gz_inflate(*body, gz_limit(body->n, INFLATED_MAX), out,
	    &why);
	if (status < 0) {
		reply_error(c->reply, status == GZ_TOO_LARGE ? 413 : 400, 0,
		    "%s", why.text);
		return -1;
	}
	*body = buf_whole(out);
	return 0;
}

void
ingest_read_int(struct jsn *j, int64_t *to)
{
	double value;

	if (jsn_peek(j) != '-' && (jsn_peek(j) < '0' || jsn_peek(j) > '9'))
		(void)jsn_skip(j);
	else if (jsn_number(j, &value) && fabs(value) < 0x1p53)
		*to = (int64_t)value;
}

void
ingest_read_object(struct jsn *j, struct span *to)
{
	struct span text;
	bool is_object = jsn_peek(j) == '{';

	if (jsn_value(j, &text) && is_object)
		*to = text;
}

int
ingest_check_json(struct call *c, struct jsn *j)
{
	if (jsn_done(j))
		return 0;
	reply_error(c->reply, 400, 0, "%s (byte %zu)", j->error,
	    jsn_column(j));
	return -1;
}

void
ingest_store(struct call *c, struct batch *batch,
    const unsigned char digest[DIGEST_BYTES])
{
	struct store_batch b = { .owner = c->owner, .run = c->run,
	    .key = ingest_key(c), .digest = digest,
	    .push = instances_push(c),
	    .max_series = ingest_config_of(c)->max_series,
	    .now_ns = now_unix_ns() };
	char own_key[PROVISION_KEY];
	enum store_result result;
	struct jsn_out o;
	struct why why;

	if (b.key.n == 0 && provision_key(c, digest, own_key))
		b.key = span_of(own_key);
	batch_rows(batch, &b);
	result = store_batch_add(c->store, &b, &why);
	if (result != STORE_DONE && result != STORE_DUPLICATE) {
		reply_store(c->reply, result, &why);
		return;
	}
	if (result == STORE_DUPLICATE)
		c->stored = (struct call_stored){ .is_repeated = true };
	else
		c->stored = (struct call_stored){ .is_batch = true,
		    .samples = b.points, .http_reqs = b.requests };
	o = reply_json(c->reply, 200);
	jsn_open(&o, '{');
	if (result == STORE_DUPLICATE) {
		jsn_key(&o, "duplicate");
		jsn_put_bool(&o, true);
	}
	jsn_close(&o, '}');
}

static void
add_metrics(struct call *c)
{
	unsigned char digest[DIGEST_BYTES];
	struct batch batch = { .most_tags = batch_most_tags(
	    ingest_config_of(c)->max_series) };

	if (body_read(c, &batch, digest) == 0)
		ingest_store(c, &batch, digest);
	batch_release(&batch);
}

/* Is the batch of that key stored? If not, it never will be: its sender is
 * about to send it in parts, and an earlier try may still be on its way. */
static void
withdraw(struct call *c)
{
	struct span key = ingest_key(c);
	enum store_result result;
	struct jsn_out o;
	struct why why;

	if (key.n == 0) {
		reply_error(c->reply, 400, 0, "K6-Idempotency-Key must name "
		    "the batch");
		return;
	}
	result = store_batch_withdraw(c->store, c->owner, c->run, key, &why);
	if (result != STORE_DONE && result != STORE_DUPLICATE) {
		reply_store(c->reply, result, &why);
		return;
	}
	o = reply_json(c->reply, 200);
	jsn_open(&o, '{');
	jsn_key(&o, "stored");
	jsn_put_bool(&o, result == STORE_DUPLICATE);
	jsn_close(&o, '}');
}

/* What the finish call is told of a run. */
struct books {
	struct jsn_out o;
	size_t n_unknown;	/* thresholds that were not judged */
	int64_t batches;	/* that are stored */
};

static int
put_books(void *ctx, const struct store_run *run)
{
	struct books *books = ctx;
	struct jsn_out *o = &books->o;

	jsn_open(o, '{');
	jsn_member_int(o, "run_status", run->run_status);
	jsn_member_int(o, "result_status", run->result_status);
	jsn_key(o, "stored");
	jsn_open(o, '{');
	jsn_member_int(o, "http_reqs", run->requests);
	jsn_member_int(o, "points", run->points);
	jsn_member_int(o, "batches", books->batches);
	jsn_close(o, '}');
	jsn_member_int(o, "unknown", (int64_t)books->n_unknown);
	jsn_close(o, '}');
	return 0;
}

/* Of a run without data none is known. */
static size_t
count_unknown(const struct judged *j)
{
	const struct store_verdict *v;
	size_t i, n_known = 0;
	bool has_data = false;

	for (i = 0; i < j->verdicts.n; i++) {
		v = &j->verdicts.list[i];
		n_known += v->is_known;
		has_data |= isfinite(v->value);
	}
	return j->n_planned - (has_data && n_known <= j->n_planned ? n_known
	    : 0);
}

/* The last word on the thresholds of a run that takes no more. */
static enum store_result
judge_ended(struct call *c, size_t *n_unknown, struct why *why)
{
	enum store_result result = STORE_DONE;
	struct judged judged;
	int status = judge_run(c->store, c->run, &judged, why);

	if (status > 0)
		*n_unknown = count_unknown(&judged);
	if (status < 0)
		result = store_last_failure(c->store);
	else if (status > 0)
		result = judged_put(c->store, &judged, why);
	judged_release(&judged);
	return result;
}

struct told {
	struct span results;
	struct buf plan;	/* n 0: as it was */
};

/* What the client judges itself; of a server's own the plan stands. */
static int
read_told(void *ctx, const struct store_run *run)
{
	struct told *t = ctx;

	if (run->is_judged || !told_add(run->thresholds, t->results,
	    &t->plan) || !ingest_plan_fits(buf_whole(&t->plan)))
		buf_reset(&t->plan);
	return 1;
}

/* End it with the plan that its results add to. */
static enum store_result
store_end(struct call *c, struct store_run *run, struct why *why)
{
	struct store_run_query q = { .owner = c->owner, .id = c->run };
	struct told told = { .results = run->results };
	enum store_result result;

	if (store_runs(c->store, &q, read_told, &told, why) < 0) {
		result = store_last_failure(c->store);
	} else {
		if (told.plan.n != 0)
			run->thresholds = buf_whole(&told.plan);
		result = store_run_end(c->store, c->owner, run, why);
	}
	run->thresholds = (struct span){ NULL, 0 };
	buf_release(&told.plan);
	return result;
}

/* End the run and tell what is stored of it. Ending it again changes nothing:
 * k6 may have missed the first answer. */
static void
end_run(struct call *c, struct store_run *run)
{
	struct store_run_query q = { .owner = c->owner, .id = c->run };
	struct books books = { .n_unknown = 0 };
	enum store_result result;
	struct why why;

	run->id = c->run;
	if (run->ended_ns == 0)
		run->ended_ns = now_unix_ns();
	result = store_end(c, run, &why);
	if (result == STORE_DONE || result == STORE_ENDED)
		result = judge_ended(c, &books.n_unknown, &why);
	if (result != STORE_DONE) {
		reply_store(c->reply, result, &why);
		return;
	}
	books.batches = store_batch_count(c->store, c->run, &why);
	books.o = reply_json(c->reply, 200);
	if (books.batches < 0 || store_runs(c->store, &q, put_books, &books,
	    &why) < 0)
		call_fail(c, &why);
}

/* A time as text, RFC 3339. */
static void
read_time(struct jsn *j, int64_t *to)
{
	struct span raw;

	if (jsn_peek(j) != '"')
		(void)jsn_skip(j);
	else if (jsn_text(j, &raw) && !time_parse(raw, to))
		(void)jsn_fail(j, "not a time of RFC 3339");
}

/* Members beside those of k6: "data_start" and "data_end", when the run was;
 * "start" and "end", if it is to be dated so, as it was uploaded later; and
 * "worst_of_instances" of one that several fed. */
static int
parse_finish(struct call *c, struct span body, struct store_run *run,
    bool *is_worst)
{
	struct jsn j = jsn_of(body);
	int64_t run_status = RUN_FINISHED, result_status = 0;
	struct span key;

	run->results = SPAN("{}");
	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key)) {
		if (span_is(key, "run_status"))
			ingest_read_int(&j, &run_status);
		else if (span_is(key, "result_status"))
			ingest_read_int(&j, &result_status);
		else if (span_is(key, "thresholds"))
			ingest_read_object(&j, &run->results);
		else if (span_is(key, "start"))
			read_time(&j, &run->created_ns);
		else if (span_is(key, "end"))
			read_time(&j, &run->ended_ns);
		else if (span_is(key, "data_start"))
			read_time(&j, &run->start_ns);
		else if (span_is(key, "data_end"))
			read_time(&j, &run->end_ns);
		else if (span_is(key, "worst_of_instances"))
			*is_worst = jsn_peek(&j) == 't', (void)jsn_skip(&j);
		else
			(void)jsn_skip(&j);
	}
	if (ingest_check_json(c, &j) < 0)
		return -1;
	if (run_status < RUN_FINISHED || run_status > RUN_ABORTED_BY_LIMIT) {
		reply_error(c->reply, 400, 0, "run_status %lld is not the end "
		    "of a run", (long long)run_status);
		return -1;
	}
	run->run_status = (int)run_status;
	run->result_status = result_status != 0;
	return 0;
}

/* Who ends a run that others fed knows no results of its thresholds. -1: the
 * reply says why they cannot be judged here. */
static int
judge(struct call *c, struct store_run *run, struct verdicts *v)
{
	struct why why;

	if (!span_is(run->results, "{}"))
		return 0;
	if (verdicts_judge(c, v, &why) < 0) {
		call_fail(c, &why);
		return -1;
	}
	run->results = buf_whole(&v->results);
	if (v->crossed > 0)
		run->result_status = 1;
	return 0;
}

static void
finish_run(struct call *c)
{
	struct store_run run = { 0 };
	struct buf unpacked = { 0 }, results = { 0 };
	struct verdicts verdicts = { .crossed = 0 };
	struct span body;
	bool is_worst = false;

	if (ingest_plain_body(c, &body, &unpacked) == 0 &&
	    parse_finish(c, body, &run, &is_worst) == 0 &&
	    (!is_worst || instances_worst(c, &run, &results) == 0) &&
	    judge(c, &run, &verdicts) == 0)
		end_run(c, &run);
	buf_release(&unpacked);
	buf_release(&results);
	buf_release(&verdicts.results);
}

static void
stop_run(struct call *c)
{
	struct store_run run = { .run_status = RUN_ABORTED_BY_USER,
	    .results = SPAN("{}") };

	end_run(c, &run);
}

static int
put_progress(void *ctx, const struct store_run *run)
{
	struct jsn_out *o = ctx;
	int status = run->run_status;
	double part = 1;

	if (status == RUN_RUNNING && run->planned_s > 0)
		part = (double)(now_unix_ns() - run->created_ns) / 1e9 /
		    (double)run->planned_s;
	else if (status == RUN_RUNNING)
		part = 0;
	jsn_open(o, '{');
	jsn_member_text(o, "run_status_text",
	    span_of(run_status_name(status)));
	jsn_member_int(o, "run_status", status);
	jsn_member_int(o, "result_status", run->result_status);
	jsn_member_number(o, "progress", part < 1 ? part : 1);
	jsn_close(o, '}');
	return 0;
}

static void
show_progress(struct call *c)
{
	struct store_run_query q = { .owner = c->owner, .id = c->run };
	struct jsn_out o = reply_json(c->reply, 200);
	struct why why;

	if (store_runs(c->store, &q, put_progress, &o, &why) < 0)
		call_fail(c, &why);
	else if (c->reply->body.n == 0)
		reply_store(c->reply, STORE_NO_RUN, NULL);
}

const struct route ingest_routes[] = {
	{ "POST", "/v1/tests", ACCESS_WRITE, .answer = ingest_create,
	    .takes_form = true },
	{ "POST", "/v1/tests/*", ACCESS_WRITE, .answer = finish_run,
	    .is_of_push = true },
	{ "POST", "/v1/tests/*/instances", ACCESS_WRITE,
	    .answer = instances_answer, .is_of_push = true },
	{ "POST", "/v1/tests/*/stop", ACCESS_WRITE, .answer = stop_run },
	{ "POST", "/v1/metrics/*", ACCESS_WRITE, .answer = add_metrics,
	    .takes_data = true },
	{ "POST", "/v1/metrics/*/withdraw", ACCESS_WRITE,
	    .answer = withdraw },
	{ "POST", "/v2/metrics/*/withdraw", ACCESS_WRITE,
	    .answer = withdraw, .takes_run_token = true },
	{ "POST", "/v2/metrics/*", ACCESS_WRITE, .answer = ingest_v2,
	    .takes_any_type = true,	/* protobuf */
	    .takes_run_token = true, .takes_data = true },
	{ "GET", "/v1/test-progress/*", ACCESS_READ, .answer = show_progress },
	{ 0 },
};
