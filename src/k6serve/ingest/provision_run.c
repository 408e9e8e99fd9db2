/* SPDX-License-Identifier: MIT */
/* A run as k6's newer API shows it, and its end. */
#include "k6serve/ingest/provision.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "data/run.h"
#include "k6serve/ingest/verdicts.h"
#include "k6serve/store/store_load_test.h"
#include "k6serve/store/store_run.h"
#include "k6serve/store/run_times.h"
#include "k6serve/view/view.h"

void
provision_null(struct jsn_out *o, const char *key)
{
	jsn_member_raw(o, key, SPAN("null"));
}

bool
provision_key(const struct call *c,
    const unsigned char digest[DIGEST_BYTES], char key[PROVISION_KEY])
{
	struct store_started started = { .run = c->run };
	struct why why;
	int found = store_started_get(c->store, c->owner, &started, NULL,
	    &why);
	size_t i;

	for (i = 0; i < DIGEST_BYTES; i++)
		(void)snprintf(key + 2 * i, 3, "%02x", digest[i]);
	return found > 0;
}

/* A run that has no data yet is initializing, which tells k6 to go on. */
static const char *
status_of(const struct store_run *run)
{
	switch (run->run_status) {
	case RUN_RUNNING:
		return run->points == 0 ? "initializing" : "running";
	case RUN_FINISHED:
		return "completed";
	default:
		return "aborted";
	}
}

/* NULL: not known. */
static const char *
result_of(const struct store_run *run)
{
	if (run->run_status == RUN_RUNNING)
		return NULL;
	if (run->result_status != 0)
		return "failed";
	if (run->run_status != RUN_FINISHED)
		return "error";
	return span_is(run->thresholds, "{}") || !span_is(run->results, "{}")
	    ? "passed" : NULL;
}

/* What a run went through, each with the time when it came to it. */
struct state {
	const char *type;
	int64_t since_ns;
	const struct store_run *ended;	/* says how; NULL: it goes on */
};

static void
put_extra(struct jsn_out *o, const struct store_run *run)
{
	jsn_key(o, "extra");
	jsn_open(o, '{');
	if (run->run_status == RUN_ABORTED_BY_USER)
		jsn_member_text(o, "by_user", run->owner.n > 0 ? run->owner :
		    SPAN("user"));
	else
		provision_null(o, "by_user");
	jsn_member_text(o, "message",
	    span_of(run_status_name(run->run_status)));
	jsn_member_int(o, "code", run->run_status);
	jsn_close(o, '}');
}

static void
put_state(struct jsn_out *o, const struct state *s)
{
	jsn_open(o, '{');
	jsn_member_text(o, "type", span_of(s->type));
	jsn_member_time(o, "entered", s->since_ns);
	if (s->ended != NULL && s->ended->run_status != RUN_FINISHED)
		put_extra(o, s->ended);
	jsn_close(o, '}');
}

/* The states of a run, the last of them the present one; returns how many. A
 * run is initializing until its first data, which may be older than the run if
 * it was uploaded later. */
enum { STATES = 4 };
static int
states_of(const struct store_run *run, struct state states[STATES])
{
	const char *status = status_of(run);
	int64_t created = run->created_ns, since;
	int n = 2;

	states[0] = (struct state){ "created", created, NULL };
	states[1] = (struct state){ "initializing", created, NULL };
	since = run_times(run).start_ns;
	if (since < created || since > run->seen_ns)
		since = created;
	if (run->points > 0)
		states[n++] = (struct state){ "running", since, NULL };
	if (run->run_status != RUN_RUNNING)
		states[n++] = (struct state){ status, run->ended_ns != 0
		    ? run->ended_ns : run->seen_ns, run };
	return n;
}

static void
put_status(struct jsn_out *o, const struct store_run *run)
{
	const char *result = result_of(run);
	struct state states[STATES];
	int i, n = states_of(run, states);

	jsn_member_text(o, "status", span_of(states[n - 1].type));
	jsn_key(o, "status_details");
	put_state(o, &states[n - 1]);
	jsn_key(o, "status_history");
	jsn_open(o, '[');
	for (i = 0; i < n; i++)
		put_state(o, &states[i]);
	jsn_close(o, ']');
	if (result != NULL)
		jsn_member_text(o, "result", span_of(result));
	else
		provision_null(o, "result");
	provision_null(o, "result_details");
}

static void
put_plan(struct jsn_out *o, const struct store_run *run)
{
	jsn_member_raw(o, "distribution",
	    SPAN("[{\"load_zone\":\"local\",\"percent\":100}]"));
	jsn_key(o, "options");
	jsn_open(o, '{');
	jsn_member_raw(o, "thresholds", run->thresholds);
	jsn_close(o, '}');
	jsn_member_raw(o, "k6_dependencies", SPAN("{}"));
	jsn_member_raw(o, "k6_versions", SPAN("{}"));
	jsn_member_int(o, "max_vus", run->vus);
	jsn_member_int(o, "max_browser_vus", 0);
	jsn_member_int(o, "estimated_duration", run->planned_s);
	jsn_member_int(o, "execution_duration", (int64_t)run_seconds(run));
}

void
provision_put_run(const struct call *c, struct jsn_out *o,
    const struct store_run *run, int64_t load_test)
{
	struct buf url = { 0 };

	jsn_open(o, '{');
	jsn_member_int(o, "id", run->id);
	jsn_member_int(o, "test_id", load_test);
	jsn_member_int(o, "project_id", run->project);
	if (run->owner.n > 0)
		jsn_member_text(o, "started_by", run->owner);
	else
		provision_null(o, "started_by");
	jsn_member_time(o, "created", run->created_ns);
	jsn_member_time_or_null(o, "ended", run->ended_ns);
	jsn_member_text(o, "note", run->note);
	provision_null(o, "retention_expiry");
	provision_null(o, "cost");
	put_status(o, run);
	put_plan(o, run);
	jsn_key(o, "is_starred");
	jsn_put_bool(o, false);
	call_put_url(c, &url);
	buf_printf(&url, "/runs/%lld", (long long)run->id);
	jsn_member_text(o, "test_run_details_page_url", buf_whole(&url));
	jsn_close(o, '}');
	buf_release(&url);
}

struct run_put {
	const struct call *c;
	struct jsn_out o;
	int64_t load_test;	/* 0: none */
};

static int
put_run(void *ctx, const struct store_run *run)
{
	struct run_put *p = ctx;

	provision_put_run(p->c, &p->o, run, p->load_test);
	return 0;
}

void
provision_show(struct call *c)
{
	struct store_run_query q = { .owner = c->owner, .id = c->run };
	struct store_started started = { .run = c->run };
	struct run_put p;
	struct why why;

	if (store_started_get(c->store, c->owner, &started, NULL, &why) <
	    0) {
		call_fail(c, &why);
	} else {
		p = (struct run_put){ c, reply_json(c->reply, 200),
		    started.load_test };
		if (store_runs(c->store, &q, put_run, &p, &why) < 0)
			call_fail(c, &why);
	}
}

/* How k6 says that a run ended before its time. */
struct failure {
	bool is_one;
	double code;
	struct buf reason;
};

static void
read_failure(struct jsn *j, struct failure *f)
{
	struct span key, raw;

	if (jsn_peek(j) != '{') {
		(void)jsn_skip(j);
		return;
	}
	f->is_one = true;
	(void)jsn_enter(j, '{');
	while (jsn_member(j, &key)) {
		if (span_is(key, "code") && jsn_peek(j) >= '0' &&
		    jsn_peek(j) <= '9')
			(void)jsn_number(j, &f->code);
		else if (!span_is(key, "reason") || jsn_peek(j) != '"')
			(void)jsn_skip(j);
		else if (jsn_text(j, &raw))
			jsn_unescape(&f->reason, raw);
	}
}

static bool
says(const struct failure *f, const char *words)
{
	return f->reason.n > 0 && strstr(f->reason.p, words) != NULL;
}

/* A user, the script and a threshold with abortOnFail share a code, as do a
 * time limit and an output that failed; only k6's words tell them apart. */
static int
status_told_by(const struct failure *f)
{
	if (!f->is_one)
		return RUN_FINISHED;
	if (f->code == 8036 && says(f, "threshold"))
		return RUN_ABORTED_BY_THRESHOLD;
	if (f->code == 8036)
		return RUN_ABORTED_BY_USER;
	if (f->code == 8035)
		return RUN_ABORTED_BY_SCRIPT_ERROR;
	if (f->code == 8034 && (says(f, "timed out") || says(f, "timeout")))
		return RUN_ABORTED_BY_LIMIT;
	return RUN_ABORTED_BY_SYSTEM;
}

/* k6 does not tell the results of the thresholds. */
static void
end_run(struct call *c, const struct failure *f)
{
	struct store_run run = { .id = c->run, .ended_ns = now_unix_ns() };
	struct verdicts v = { .reason = buf_whole(&f->reason) };
	enum store_result result;
	struct why why;

	run.run_status = status_told_by(f);
	if (run.run_status != RUN_ABORTED_BY_THRESHOLD)
		v.reason.n = 0;
	if (verdicts_judge(c, &v, &why) == 0) {
		run.results = buf_whole(&v.results);
		run.result_status = v.crossed > 0 ||
		    run.run_status == RUN_ABORTED_BY_THRESHOLD;
		result = store_run_end(c->store, c->owner, &run, &why);
	} else {
		result = store_last_failure(c->store);
	}
	if (result == STORE_DONE || result == STORE_ENDED)
		c->reply->status = 204;
	else
		reply_store(c->reply, result, &why);
	buf_release(&v.results);
}

void
provision_notify(struct call *c)
{
	struct jsn j = jsn_of(c->r->body);
	struct failure f = { .is_one = false };
	bool is_end = false;
	struct span key, raw;

	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key)) {
		if (span_is(key, "error"))
			read_failure(&j, &f);
		else if (!span_is(key, "event_type") || jsn_peek(&j) != '"')
			(void)jsn_skip(&j);
		else if (jsn_text(&j, &raw))
			is_end = jsn_same(raw, "script_execution_completed");
	}
	if (!jsn_done(&j))
		reply_error(c->reply, 400, 0, "%s (byte %zu)", j.error,
		    jsn_column(&j));
	else if (!is_end)
		reply_error(c->reply, 400, 0, "event_type must be "
		    "script_execution_completed");
	else
		end_run(c, &f);
	buf_release(&f.reason);
}
