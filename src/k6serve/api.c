/* SPDX-License-Identifier: MIT */
/* api: the runs as JSON, for the pages and for scripts (k6serve(1)). */
#include <math.h>

#include "base/num.h"
#include "data/run.h"
#include "k6serve/app.h"
#include "k6serve/charts.h"

enum { RUNS_LISTED = 200, RUNS_MAX = 10000 };

/* While runs are written out. */
struct listing {
	struct app *app;
	struct json_out o;
	struct why why;
};

/* Totals of a run, one member for each metric that counts. */
struct totals {
	double reqs, iterations, sent, received;
	uint64_t failed, checks, passes;
	double most_vus;
	struct sink duration;
};

static int
read_total(void *ctx, const struct store_row *row)
{
	const struct sink *s = row->sink;
	struct totals *t = ctx;

	if (span_is(row->metric, "http_reqs"))
		t->reqs += s->sum;
	else if (span_is(row->metric, "iterations"))
		t->iterations += s->sum;
	else if (span_is(row->metric, "data_sent"))
		t->sent += s->sum;
	else if (span_is(row->metric, "data_received"))
		t->received += s->sum;
	else if (span_is(row->metric, "http_req_failed"))
		t->failed += s->nonzero;
	else if (span_is(row->metric, "http_req_duration"))
		sink_merge(&t->duration, s);
	else if (span_is(row->metric, "vus"))
		t->most_vus = fmax(t->most_vus, s->max);
	else if (span_is(row->metric, "checks")) {
		t->checks += s->count;
		t->passes += s->nonzero;
	}
	return 0;
}

static void
put_totals(struct json_out *o, struct totals *t)
{
	json_key(o, "totals");
	json_open(o, '{');
	json_member_number(o, "http_reqs", t->reqs);
	json_member_int(o, "http_req_failed", (int64_t)t->failed);
	json_member_number(o, "iterations", t->iterations);
	json_member_number(o, "data_sent", t->sent);
	json_member_number(o, "data_received", t->received);
	json_key(o, "checks");
	json_open(o, '{');
	json_member_int(o, "count", (int64_t)t->checks);
	json_member_int(o, "passes", (int64_t)t->passes);
	json_member_int(o, "fails", (int64_t)(t->checks - t->passes));
	json_close(o, '}');
	json_key(o, "http_req_duration");
	json_open(o, '{');
	put_trend(o, &t->duration, "med");
	json_close(o, '}');
	json_close(o, '}');
}

/* Do two raw JSON strings stand for the same text? */
static bool
same_text(struct span a, struct span b)
{
	struct buf plain = { 0 };
	bool is_same;

	if (span_equal(a, b))
		return true;
	buf_add(&plain, "", 0);
	json_unescape(&plain, a);
	is_same = json_same(b, plain.p);
	buf_release(&plain);
	return is_same;
}

/* The member of an object; n 0: there is none. */
static struct span
member(struct span object, struct span name)
{
	struct json j = json_of(object);
	struct span key, value, found = { "", 0 };

	if (json_peek(&j) != '{')
		return found;
	(void)json_enter(&j, '{');
	while (json_member(&j, &key))
		if (json_value(&j, &value) && same_text(key, name))
			found = value;
	return found;
}

/* What became of one threshold: results[metric][source] is true if it
 * failed. */
static void
put_verdict(struct json_out *o, struct span results, struct span metric,
    struct span source)
{
	struct span verdict = member(member(results, metric), source);

	json_member_raw(o, "failed", span_is(verdict, "true") ||
	    span_is(verdict, "false") ? verdict : SPAN("null"));
}

/* A raw JSON string as it came; both its forms are k6's. */
static void
put_raw_text(struct json_out *o, const char *key, struct span raw)
{
	json_member_raw(o, key, (struct span){ raw.p - 1, raw.n + 2 });
}

/* {"metric":["source",...]} as a list of what each came to. */
static void
put_thresholds(struct json_out *o, const struct store_run *run)
{
	struct json j = json_of(run->thresholds);
	struct span metric, source;

	json_key(o, "thresholds");
	json_open(o, '[');
	(void)json_enter(&j, '{');
	while (json_member(&j, &metric)) {
		if (json_peek(&j) != '[') {
			(void)json_skip(&j);
			continue;
		}
		(void)json_enter(&j, '[');
		while (json_element_text(&j, &source)) {
			json_open(o, '{');
			put_raw_text(o, "metric", metric);
			put_raw_text(o, "source", source);
			put_verdict(o, run->results, metric, source);
			json_close(o, '}');
		}
	}
	json_close(o, ']');
}

/* A number that the client tells; null if it did not, or told nonsense. */
static void
put_known(struct json_out *o, const char *key, int64_t value)
{
	if (value > 0)
		json_member_int(o, key, value);
	else
		json_member_raw(o, key, SPAN("null"));
}

/* Start and end are those of the data, which may be older than the upload. */
static void
put_times(struct json_out *o, const struct store_run *run, int status)
{
	int64_t first = run->first_ns != 0 ? run->first_ns : run->created_ns;
	int64_t last = run->last_ns != 0 ? run->last_ns : first;

	put_time(o, "start", first);
	put_time(o, "end", status == RUN_RUNNING ? 0 : last);
	/* Two wrong clocks may be further apart than 64 bits of ns. */
	json_member_number(o, "duration", ((double)last - (double)first) /
	    1e9);
	put_known(o, "planned_duration", run->planned_s);
	put_time(o, "created", run->created_ns);
	put_time(o, "seen", run->seen_ns);
	put_time(o, "finished", run->ended_ns);
}

static void
put_state(struct json_out *o, const struct store_run *run, int status)
{
	json_member_text(o, "state", span_of(run_status_name(status)));
	json_member_int(o, "run_status", status);
	json_member_int(o, "result_status", run->result_status);
	json_key(o, "late");
	json_put_bool(o, run->is_late);
}

static int
put_run(void *ctx, const struct store_run *run)
{
	struct totals totals = { .duration = { .type = METRIC_TREND } };
	struct store_query q = { .run = run->id, .is_whole = true };
	struct listing *l = ctx;
	int status = app_run_status(l->app, run);
	int64_t overflow = store_overflow(l->app->store, run->id, &l->why);

	if (overflow < 0 || store_series(l->app->store, &q, read_total,
	    &totals, &l->why) < 0) {
		sink_release(&totals.duration);
		return -1;
	}
	json_open(&l->o, '{');
	json_member_int(&l->o, "id", run->id);
	json_member_text(&l->o, "name", run->name);
	put_state(&l->o, run, status);
	put_times(&l->o, run, status);
	put_known(&l->o, "project_id", run->project);
	put_known(&l->o, "vus", run->vus > 0 ? run->vus
	    : (int64_t)totals.most_vus);
	json_member_int(&l->o, "step", run->step_s);
	json_member_int(&l->o, "points", run->points);
	json_member_int(&l->o, "overflow", overflow);
	json_member_int(&l->o, "version", run->version);
	put_thresholds(&l->o, run);
	put_totals(&l->o, &totals);
	json_close(&l->o, '}');
	sink_release(&totals.duration);
	return 0;
}

/* ?limit=N, RUNS_LISTED without. -1: the reply says that it is no number. */
static int64_t
limit_of(struct call *c)
{
	const char *text = httpd_query(c->r, "limit");
	int64_t limit = RUNS_LISTED;

	if (text == NULL || num_parse_int(text, 1, RUNS_MAX, &limit))
		return limit;
	reply_error(c->reply, 400, 0, "limit must be 1 to %d", RUNS_MAX);
	return -1;
}

static void
list_runs(struct call *c)
{
	struct listing l = { .app = c->app };
	int64_t limit = limit_of(c);

	if (limit < 0)
		return;
	l.o = reply_json(c->reply, 200);
	json_open(&l.o, '[');
	if (store_runs(c->app->store, 0, limit, put_run, &l, &l.why) < 0)
		reply_store(c->reply, STORE_FAILED, &l.why);
	else
		json_close(&l.o, ']');
}

static void
show_run(struct call *c)
{
	struct listing l = { .app = c->app, .o = reply_json(c->reply, 200) };

	if (store_runs(c->app->store, c->run, 1, put_run, &l, &l.why) < 0)
		reply_store(c->reply, STORE_FAILED, &l.why);
	else if (c->reply->body.n == 0)
		reply_store(c->reply, STORE_NO_RUN, NULL);
}

/* One listener of a run's events. */
struct watch {
	struct app *app;
	int64_t run, version;
	int status;
};

struct news {
	struct watch *w;
	struct buf *out;
	bool is_there;
};

static int
tell_change(void *ctx, const struct store_run *run)
{
	struct news *n = ctx;
	int status = app_run_status(n->w->app, run);

	n->is_there = true;
	if (run->version == n->w->version && status == n->w->status)
		return 0;
	n->w->version = run->version;
	n->w->status = status;
	buf_printf(n->out, "event: change\ndata: {\"version\":%lld,"
	    "\"state\":\"%s\"}\n\n", (long long)run->version,
	    run_status_name(status));
	return 0;
}

static int
next_event(void *stream, struct buf *out)
{
	struct watch *w = stream;
	struct news n = { w, out, false };

	(void)store_runs(w->app->store, w->run, 1, tell_change, &n, NULL);
	return n.is_there ? 0 : -1;
}

static void
events(struct call *c)
{
	struct watch *w;

	if (!app_has_run(c))
		return;
	w = xcalloc(1, sizeof(*w));
	w->app = c->app;
	w->run = c->run;
	c->reply->status = 200;
	c->reply->type = "text/event-stream";
	c->reply->next = next_event;
	c->reply->stream = w;
}

static void
health(struct call *c)
{
	struct json_out o = reply_json(c->reply, 200);

	json_open(&o, '{');
	json_member_text(&o, "status", SPAN("ok"));
	json_close(&o, '}');
}

const struct route api_routes[] = {
	{ "GET", "/api/v1/runs", ACCESS_READ, .answer = list_runs },
	{ "GET", "/api/v1/runs/*", ACCESS_READ, .answer = show_run },
	{ "GET", "/api/v1/runs/*/series", ACCESS_READ,
	    .answer = charts_series },
	{ "GET", "/api/v1/runs/*/urls", ACCESS_READ, .answer = charts_urls },
	{ "GET", "/api/v1/runs/*/events", ACCESS_READ, .answer = events },
	{ "GET", "/health", ACCESS_OPEN, .answer = health },
	{ 0 },
};
