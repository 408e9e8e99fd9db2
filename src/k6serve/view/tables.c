/* SPDX-License-Identifier: MIT */
/* tables: requests by name, checks, errors, metrics, the slowest requests. */
#include <math.h>
#include <stdlib.h>

#include "base/units.h"
#include "data/measure.h"
#include "data/metric.h"
#include "data/percentile.h"
#include "k6serve/store/store_slow.h"
#include "k6serve/view/failures.h"
#include "k6serve/view/group.h"
#include "k6serve/view/view.h"

static void
put_stats(struct jsn_out *o, const struct sink *s, bool is_known)
{
	enum percentile p;

	jsn_member_number(o, "min", is_known ? s->min : NAN);
	jsn_member_number(o, "avg", is_known ? sink_avg(s) : NAN);
	for (p = P50; p <= P99; p++)
		jsn_member_number(o, p == P50 ? "p50" : percentiles[p].key,
		    is_known ? sink_quantile(s, percentiles[p].at) : NAN);
	jsn_member_number(o, "max", is_known ? s->max : NAN);
}

void
put_trend(struct jsn_out *o, const struct sink *s)
{
	jsn_member_int(o, "count", (int64_t)s->count);
	put_stats(o, s, s->count != 0);
}

void
put_durations_only(struct jsn_out *o, const struct sink *s)
{
	put_stats(o, s, measure_has_times(s));
}

void
put_durations(struct jsn_out *o, const struct sink *s)
{
	jsn_member_int(o, "count", (int64_t)s->count);
	put_durations_only(o, s);
}

/* Write the groups as an array of objects. */
static void
put_groups(struct jsn_out *o, struct groups *g, const struct view *v,
    int (*order)(const void *, const void *),
    void (*put)(struct jsn_out *, const struct view *,
    const struct group *))
{
	struct group **sorted = groups_sorted(g, order);
	size_t i, n = g->by_key.n;

	if (v->most_urls != 0 && n > v->most_urls)
		n = v->most_urls;
	jsn_open(o, '[');
	for (i = 0; i < n; i++)
		put(o, v, sorted[i]);
	jsn_close(o, ']');
	free(sorted);
}

static void
put_url(struct jsn_out *o, const struct view *v, const struct group *g)
{
	double seconds = view_seconds(v);

	jsn_open(o, '{');
	jsn_member_text(o, "name", g->tag[0]);
	jsn_member_text(o, "method", g->tag[1]);
	jsn_member_text(o, "status", g->tag[2]);
	jsn_member_number(o, "count", g->reqs);
	jsn_member_number(o, "rate", seconds > 0 ? g->reqs / seconds : NAN);
	jsn_member_number(o, "failed", group_failed(g));
	put_durations_only(o, &g->sink);
	jsn_close(o, '}');
}

/* Read the requests of a run by their groups, and write these. */
static int
put_requests(struct jsn_out *o, struct groups *g, const struct view *v,
    void (*put)(struct jsn_out *, const struct view *, const struct group *),
    struct why *why)
{
	static const char *const metrics[] = { "http_reqs",
	    "http_req_failed", "http_req_duration" };
	struct store_query q = view_query(v, NULL);
	int status = 0;
	size_t i;

	for (i = 0; status == 0 && i < 3; i++) {
		q.metric = metrics[i];
		status = groups_read(g, v->store, &q, why);
	}
	if (status == 0)
		put_groups(o, g, v, group_by_reqs, put);
	groups_release(g);
	return status;
}

int
view_urls(const struct view *v, struct jsn_out *o, struct why *why)
{
	struct groups g = { .by = { "name", "method", "status" },
	    .filter = v->tags };

	return put_requests(o, &g, v, put_url, why);
}

/* Of successful answers beside those of all. */
static void
put_request(struct jsn_out *o, const struct view *v, const struct group *g)
{
	double seconds = view_seconds(v);

	jsn_open(o, '{');
	jsn_member_text(o, "name", g->tag[0]);
	jsn_member_text(o, "method", g->tag[1]);
	jsn_member_number(o, "count", g->reqs);
	jsn_member_number(o, "rate", seconds > 0 ? g->reqs / seconds : NAN);
	jsn_member_number(o, "failed", group_failed(g));
	put_durations_only(o, &g->sink);
	jsn_key(o, "successful");
	jsn_open(o, '{');
	put_durations(o, &g->ok);
	jsn_close(o, '}');
	jsn_close(o, '}');
}

int
view_requests(const struct view *v, struct jsn_out *o, struct why *why)
{
	struct groups g = { .by = { "name", "method" }, .has_ok = true,
	    .filter = v->tags };

	return put_requests(o, &g, v, put_request, why);
}

static void
put_check(struct jsn_out *o, const struct view *v, const struct group *g)
{
	(void)v;
	jsn_open(o, '{');
	jsn_member_text(o, "group", g->tag[1]);
	jsn_member_text(o, "check", g->tag[0]);
	jsn_member_int(o, "count", (int64_t)g->sink.count);
	jsn_member_int(o, "passes", (int64_t)g->sink.nonzero);
	jsn_member_int(o, "fails",
	    (int64_t)(g->sink.count - g->sink.nonzero));
	jsn_close(o, '}');
}

int
view_checks(const struct view *v, struct jsn_out *o, struct why *why)
{
	struct groups g = { .by = { "check", "group" }, .filter = v->tags };
	struct store_query q = view_query(v, "checks");
	int status = groups_read(&g, v->store, &q, why);

	if (status == 0)
		put_groups(o, &g, v, group_by_count, put_check);
	groups_release(&g);
	return status;
}

/* While errors are read. */
struct errors {
	const struct view *v;
	struct groups kinds;
	struct why *why;
};

/* When a series first had a failure; -1: why. */
static int
first_failure(struct errors *e, const struct store_row *row, int64_t *ns)
{
	struct store_series_query q = { .owner = e->v->owner,
	    .series = row->series, .type = row->type };
	int64_t second = row->second;

	if (e->v->to_s == 0 && store_first_nonzero(e->v->store, &q, &second,
	    e->why) < 0)
		return -1;
	*ns = second * NS_PER_S;
	return 0;
}

/* Only what failed: a kind of error without failures is none. */
static int
add_failures(void *ctx, const struct store_row *row)
{
	struct errors *e = ctx;
	struct group *g;
	int64_t first;

	if (row->sink->nonzero == 0)
		return 0;
	g = groups_of(&e->kinds, row->tags);
	if (g != NULL) {
		if (first_failure(e, row, &first) < 0)
			return -1;
		if (g->first_ns == 0 || first < g->first_ns)
			g->first_ns = first;
		sink_merge(&g->failed, row->sink);
		g->reqs = (double)g->failed.nonzero;
	}
	return 0;
}

static void
put_error(struct jsn_out *o, const struct view *v, const struct group *g)
{
	(void)v;
	jsn_open(o, '{');
	jsn_member_text(o, "name", g->tag[0]);
	jsn_member_text(o, "method", g->tag[1]);
	jsn_member_text(o, "status", g->tag[2]);
	jsn_member_text(o, "error_code", g->tag[3]);
	jsn_member_text(o, "error", g->tag[4]);
	jsn_member_int(o, "count", (int64_t)g->failed.nonzero);
	jsn_member_time_or_null(o, "first", g->first_ns);
	jsn_member_time_or_null(o, "last", g->failed.last_ns);
	jsn_close(o, '}');
}

int
view_errors(const struct view *v, struct jsn_out *o, struct why *why)
{
	struct errors e = { .v = v, .why = why, .kinds = { .by = { "name",
	    "method", "status", "error_code", "error" }, .filter = v->tags } };
	struct store_query q = view_query(v, "http_req_failed");
	int status = store_series(v->store, &q, add_failures, &e, why);

	if (status == 0)
		put_groups(o, &e.kinds, v, group_by_reqs, put_error);
	groups_release(&e.kinds);
	return status;
}

static int
put_metric(void *ctx, const struct store_row *row)
{
	const struct metric *known = metric_builtin(row->metric);
	const struct sink *s = row->sink;
	struct jsn_out *o = ctx;

	jsn_open(o, '{');
	jsn_member_text(o, "metric", row->metric);
	jsn_member_text(o, "type", span_of(metric_type_name(row->type)));
	jsn_member_text(o, "contains", span_of(metric_contains_name(
	    known != NULL ? known->contains : CONTAINS_DEFAULT)));
	jsn_key(o, "custom");
	jsn_put_bool(o, known == NULL);
	if (row->type == METRIC_TREND) {
		put_trend(o, s);
	} else {
		jsn_member_int(o, "count", (int64_t)s->count);
		jsn_member_int(o, "nonzero", (int64_t)s->nonzero);
		jsn_member_number(o, "min", s->min);
		jsn_member_number(o, "avg", sink_avg(s));
		jsn_member_number(o, "max", s->max);
	}
	jsn_member_number(o, "sum", sink_sum(s));
	jsn_member_number(o, "last", s->last);
	jsn_close(o, '}');
	return 0;
}

int
view_metrics(const struct view *v, struct jsn_out *o, struct why *why)
{
	struct store_query q = { .owner = v->owner, .run = v->run,
	    .is_whole = true };
	int status;

	jsn_open(o, '[');
	status = store_series(v->store, &q, put_metric, o, why);
	jsn_close(o, ']');
	return status;
}

/* A slow request on its way out. */
struct slow_out {
	struct jsn_out *o;
	const struct view *v;
	struct tags tags;
};

static void
put_tags_of(struct jsn_out *o, const struct tagset *set)
{
	static const char *const keys[] = { "name", "url", "method", "status",
	    "error", "error_code", "scenario", "group" };
	struct span value;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		value = tag_value(set, keys[i]);
		if (value.n != 0)
			jsn_member_text(o, keys[i], value);
	}
}

static bool
is_in_part(const struct view *v, int64_t ns)
{
	return v->to_s == 0 || (ns >= v->from_s * NS_PER_S &&
	    ns < v->to_s * NS_PER_S);
}

static int
put_slow(void *ctx, const struct store_slow *slow)
{
	struct slow_out *out = ctx;
	struct jsn j = jsn_of(slow->tags);
	const struct tagset *set = tags_read(&out->tags, &j);
	struct jsn_out *o = out->o;
	int i;

	if (!is_in_part(out->v, slow->time_ns) ||
	    slow->ns[TIMING_DURATION] <= 0)	/* no answer, no time */
		return 0;
	jsn_open(o, '{');
	jsn_member_time_or_null(o, "time", slow->time_ns);
	jsn_member_number(o, "at", ((double)slow->time_ns -
	    (double)out->v->first_ns) / 1e9);
	for (i = 0; i < TIMINGS; i++) {
		jsn_key(o, timing_names[i] + strlen("http_req_"));
		jsn_put_ms(o, slow->ns[i]);
	}
	jsn_key(o, "failed");
	if (slow->failed >= 0)
		jsn_put_bool(o, slow->failed != 0);
	else
		jsn_put_raw(o, SPAN("null"));
	if (set != NULL)
		put_tags_of(o, set);
	jsn_close(o, '}');
	return 0;
}

int
view_slow(const struct view *v, struct jsn_out *o, struct why *why)
{
	struct store_slow_query q = { v->owner, v->run };
	struct slow_out out = { .o = o, .v = v };
	int status;

	jsn_open(o, '[');
	status = store_slowest(v->store, &q, put_slow, &out, why);
	jsn_close(o, ']');
	tags_release(&out.tags);
	return status;
}

/* Bars of a distribution: BARS to a factor of ten. The least one begins at 0,
 * where a logarithm does not. */
enum { BARS = 12, LEAST_BAR = -3 * BARS };

static double
bar_start(int bar)
{
	return bar == LEAST_BAR ? 0 : pow(10, (double)bar / BARS);
}

static int
bar_of(uint32_t index)
{
	double middle = (hist_lower(index) + hist_upper(index)) / 2;
	int bar = middle > 0 ? (int)floor(BARS * log10(middle)) : LEAST_BAR;

	return bar > LEAST_BAR ? bar : LEAST_BAR;
}

static int
add_bars(void *ctx, const struct store_row *row)
{
	sink_merge(ctx, row->sink);
	return 0;
}

static void
put_bars(struct jsn_out *o, const struct hist *h)
{
	uint64_t count = 0;
	int bar = LEAST_BAR, at;
	size_t i;

	for (i = 0; i <= h->n; i++) {
		at = i < h->n ? bar_of(h->buckets[i].index) : INT32_MAX;
		if (at != bar && count != 0) {
			jsn_open(o, '{');
			jsn_member_number(o, "from", bar_start(bar));
			jsn_member_number(o, "to", bar_start(bar + 1));
			jsn_member_int(o, "count", (int64_t)count);
			jsn_close(o, '}');
			count = 0;
		}
		bar = at;
		count += i < h->n ? h->buckets[i].count : 0;
	}
}

int
view_distribution(const struct view *v, struct jsn_out *o, struct why *why)
{
	struct store_query q = view_query(v, v->metric != NULL ? v->metric :
	    "http_req_duration");
	struct sink all = { .type = METRIC_TREND };
	int status;

	q.is_whole = true;
	status = store_series(v->store, &q, add_bars, &all, why);
	jsn_open(o, '[');
	if (v->metric != NULL || measure_has_times(&all))
		put_bars(o, &all.hist);
	jsn_close(o, ']');
	sink_release(&all);
	return status;
}
