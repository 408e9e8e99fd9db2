/* SPDX-License-Identifier: MIT */
/* Adds up the metrics that all runs have. */
#include "k6serve/view/totals.h"

#include <math.h>

#include "k6serve/view/failures.h"

/* Something is told: it is known. */
static void
add(double *to, const struct sink *s)
{
	*to = (isnan(*to) ? 0 : *to) + sink_sum(s);
}

static int
read_total(void *ctx, const struct store_row *row)
{
	const struct sink *s = row->sink;
	struct totals *t = ctx;

	if (span_is(row->metric, "http_reqs"))
		t->reqs += sink_sum(s);
	else if (span_is(row->metric, "iterations"))
		add(&t->iterations, s);
	else if (span_is(row->metric, "data_sent"))
		add(&t->sent, s);
	else if (span_is(row->metric, "data_received"))
		add(&t->received, s);
	else if (span_is(row->metric, "http_req_failed"))
		t->failed += s->nonzero, t->told += s->count;
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

/* How many requests failed, and how that is known. */
static void
put_failed(struct jsn_out *o, const struct totals *t)
{
	double failed = t->told > 0 || t->reqs == 0 ? (double)t->failed
	    : t->by_status;

	jsn_member_number(o, "http_req_failed", failed);
	jsn_key(o, "http_req_failed_by");
	if (t->told > 0 || t->reqs == 0)
		jsn_put_text(o, SPAN("http_req_failed"));
	else if (isfinite(failed))
		jsn_put_text(o, SPAN("status"));
	else
		jsn_put_raw(o, SPAN("null"));
}

/* Failed answers frustrate, however fast they came. */
static void
put_apdex(struct jsn_out *o, const struct totals *t)
{
	const struct apdex *a = &t->apdex;
	double all = (double)t->duration.count;
	bool is_known = all > 0 && a->unknown == 0;

	jsn_key(o, "apdex");
	jsn_open(o, '{');
	jsn_member_int(o, "target", APDEX_MS);
	jsn_member_number(o, "satisfied", is_known ? (double)a->satisfied :
	    NAN);
	jsn_member_number(o, "tolerated", is_known ? (double)a->tolerated :
	    NAN);
	jsn_member_number(o, "score", is_known ? ((double)a->satisfied +
	    (double)a->tolerated / 2) / all : NAN);
	jsn_close(o, '}');
}

void
totals_put(const struct totals *t, bool has_expected, struct jsn_out *o)
{
	jsn_key(o, "totals");
	jsn_open(o, '{');
	jsn_member_number(o, "http_reqs", t->reqs);
	put_failed(o, t);
	jsn_member_number(o, "iterations", t->iterations);
	jsn_member_number(o, "data_sent", t->sent);
	jsn_member_number(o, "data_received", t->received);
	jsn_key(o, "checks");
	jsn_open(o, '{');
	jsn_member_int(o, "count", (int64_t)t->checks);
	jsn_member_int(o, "passes", (int64_t)t->passes);
	jsn_member_int(o, "fails", (int64_t)(t->checks - t->passes));
	jsn_close(o, '}');
	jsn_key(o, "http_req_duration");
	jsn_open(o, '{');
	put_durations(o, &t->duration);
	jsn_close(o, '}');
	if (t->expected.count > 0) {
		jsn_key(o, "http_req_duration_expected");
		jsn_open(o, '{');
		put_durations(o, &t->expected);
		jsn_close(o, '}');
	}
	if (has_expected)
		put_apdex(o, t);
	jsn_close(o, '}');
}

int
totals_read(struct totals *t, const struct view *v, bool has_expected,
    struct why *why)
{
	struct store_query q = view_query(v, NULL);

	q.is_whole = true;
	if (store_series(v->store, &q, read_total, t, why) < 0)
		return -1;
	if (t->told == 0 && t->reqs > 0 &&
	    failures_by_status(v, &t->by_status, why) < 0)
		return -1;
	return has_expected ? failures_expected(v, &t->expected, &t->apdex,
	    why) : 0;
}

void
totals_release(struct totals *t)
{
	sink_release(&t->duration);
	sink_release(&t->expected);
}

struct store_query
view_query(const struct view *v, const char *metric)
{
	return (struct store_query){ .owner = v->owner, .run = v->run,
	    .metric = metric, .from = v->from_s, .to = v->to_s };
}

double
view_seconds(const struct view *v)
{
	return v->to_s != 0 ? (double)(v->to_s - v->from_s) : v->seconds;
}

int
view_range(const struct view *v, struct jsn_out *o, struct why *why)
{
	struct totals t = TOTALS_NONE;
	int status = 0;

	if (v->to_s == 0) {
		jsn_put_raw(o, SPAN("null"));
		return 0;
	}
	jsn_open(o, '{');
	jsn_member_int(o, "from", v->from_s);
	jsn_member_int(o, "to", v->to_s);
	jsn_member_number(o, "duration", view_seconds(v));
	status = totals_read(&t, v, true, why);
	totals_put(&t, true, o);
	jsn_close(o, '}');
	totals_release(&t);
	return status;
}
