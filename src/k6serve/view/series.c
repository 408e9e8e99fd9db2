/* SPDX-License-Identifier: MIT */
/* series: a run over time, in steps of some seconds. */
#include <math.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/num.h"
#include "data/measure.h"
#include "data/trail.h"
#include "k6serve/view/failures.h"
#include "k6serve/view/group.h"
#include "k6serve/view/view.h"

enum { STATUSES = 16 };		/* the last one takes what is past them */

/* Metrics that add up over a step. */
enum sum { SUM_REQS, SUM_FAILED, SUM_ITERATIONS, SUM_SENT, SUM_RECEIVED,
	SUMS };

static const char *const summed[SUMS] = { "http_reqs", "http_req_failed",
	"iterations", "data_sent", "data_received" };

/* Of one step: what happened in it. */
struct step {
	int64_t t;		/* its first second */
	double sum[SUMS];
	double by_status;	/* failed, while nothing is told; NAN */
	double vus;		/* NAN: not known */
	struct sink trend;	/* http_req_duration, or what was asked for */
	double timing_sum[TIMINGS];
	uint64_t timing_n[TIMINGS];
	double status[STATUSES];
};

/* Of a series whose sums are wanted: this sum, */
struct wanted {
	enum sum sum;		/* SUMS: */
	enum timing timing;	/* this timing, TIMINGS: */
	size_t column;		/* this status, */
	double share;		/* of which so many requests failed */
};

/* All steps of a run, by time. */
struct steps {
	const struct view *v;
	int64_t length;		/* seconds in a step */
	struct map by_time;
	struct step *last;	/* the one that was looked for last */
	enum sum sum;		/* of some requests, what is looked for */
	struct wanted *wanted;	/* owned, as are the series' numbers, */
	int64_t *series;	/* of which there are as many */
	size_t n_wanted, cap_wanted, cap_series;
	bool is_told[SUMS];	/* the run has such a metric */
	int64_t vus_second;	/* while VUs are read: this second, */
	double vus_sum;		/* and all generators' together */
	struct tags tags;
	char *statuses[STATUSES];	/* owned */
	size_t n_statuses;
	bool has_tags;		/* these requests, not the whole run: */
	struct groups match;
	struct why *why;
};

static struct step *
step_at(struct steps *all, int64_t second)
{
	int64_t t = num_floor_to(second, all->length);
	struct span key = { (const char *)&t, sizeof(t) };
	struct step *step = all->last;

	if (step == NULL || step->t != t)
		step = map_get(&all->by_time, key);
	if (step == NULL) {
		step = xcalloc(1, sizeof(*step));
		step->t = t;
		step->vus = NAN;
		key.p = (const char *)&step->t;
		map_put(&all->by_time, key, step);
	}
	return all->last = step;
}

static void
steps_release(struct steps *all)
{
	struct step *step;
	size_t at = 0;

	while ((step = map_next(&all->by_time, &at)) != NULL) {
		sink_release(&step->trend);
		free(step);
	}
	while (all->n_statuses > 0)
		free(all->statuses[--all->n_statuses]);
	free(all->wanted);
	free(all->series);
	map_release(&all->by_time);
	tags_release(&all->tags);
	groups_release(&all->match);
}

static int
add_trend(void *ctx, const struct store_row *row)
{
	struct steps *all = ctx;
	struct sink *sink = &step_at(all, row->second)->trend;

	sink->type = row->type;
	sink_merge(sink, row->sink);
	return 0;
}

/* Each generator has its own series of VUs: they add up within a second, and
 * the most of a step's seconds counts. */
static int
add_vus(void *ctx, const struct store_row *row)
{
	struct steps *all = ctx;
	struct step *step = step_at(all, row->second);

	if (row->second != all->vus_second)
		all->vus_sum = 0;
	all->vus_second = row->second;
	all->vus_sum += row->sink->max;
	if (isnan(step->vus) || all->vus_sum > step->vus)
		step->vus = all->vus_sum;
	return 0;
}

static int
add_wanted(void *ctx, size_t at, int64_t begin, double sum, uint64_t count)
{
	struct steps *all = ctx;
	const struct wanted *w = &all->wanted[at];
	struct step *step = step_at(all, begin);

	if (w->sum != SUMS) {
		step->sum[w->sum] += sum;
		if (all->has_tags && w->sum == SUM_REQS)
			step->by_status += sum * w->share;
	} else if (w->timing != TIMINGS) {
		step->timing_sum[w->timing] += sum;
		step->timing_n[w->timing] += count;
	} else {
		step->status[w->column] += sum;
		step->by_status += sum * w->share;
	}
	return 0;
}

static void
want(struct steps *all, const struct store_row *row, struct wanted w)
{
	all->wanted = xgrow(all->wanted, all->n_wanted, &all->cap_wanted,
	    sizeof(all->wanted[0]));
	all->series = xgrow(all->series, all->n_wanted, &all->cap_series,
	    sizeof(all->series[0]));
	all->series[all->n_wanted] = row->series;
	all->wanted[all->n_wanted++] = w;
	if (w.sum != SUMS)
		all->is_told[w.sum] = true;
}

/* All at once. */
static int
read_wanted(struct steps *all, struct why *why)
{
	struct store_steps_query q = { .owner = all->v->owner,
	    .run = all->v->run, .series = all->series, .n = all->n_wanted,
	    .from = all->v->series_from, .step_s = all->length };

	return store_steps(all->v->store, &q, add_wanted, all, why);
}

/* The column of a status; made at need. */
static size_t
column_of(struct steps *all, struct span status)
{
	size_t i;

	for (i = 0; i < all->n_statuses; i++)
		if (span_is(status, all->statuses[i]))
			return i;
	if (i == STATUSES - 1)
		status = SPAN("other");
	if (i < STATUSES)
		all->statuses[all->n_statuses++] =
		    xstrndup(status.p, status.n);
	return i < STATUSES ? i : STATUSES - 1;
}

static int
read_status(void *ctx, const struct store_row *row)
{
	struct steps *all = ctx;
	struct jsn j = jsn_of(row->tags);
	const struct tagset *set = tags_read(&all->tags, &j);

	if (set == NULL)
		return 0;
	want(all, row, (struct wanted){ SUMS, TIMINGS,
	    column_of(all, tag_value(set, "status")),
	    failures_share(tag_value(set, "status")) });
	return 0;
}

static int
by_time(const void *a, const void *b)
{
	int64_t x = (*(struct step *const *)a)->t;
	int64_t y = (*(struct step *const *)b)->t;

	return (x > y) - (x < y);
}

static void
put_splits(struct jsn_out *o, const struct steps *all, const struct step *s)
{
	int i;
	size_t k;

	jsn_key(o, "timings");
	jsn_open(o, '{');
	for (i = TIMING_BLOCKED; i < TIMINGS; i++)
		jsn_member_number(o, timing_names[i] + strlen("http_req_"),
		    s->timing_n[i] != 0 && (s->timing_sum[i] > 0 ||
		    measure_has_times(&s->trend)) ? s->timing_sum[i] /
		    (double)s->timing_n[i] : NAN);
	jsn_close(o, '}');
	jsn_key(o, "status");
	jsn_open(o, '{');
	for (k = 0; k < all->n_statuses; k++)
		if (s->status[k] != 0)
			jsn_member_number(o, all->statuses[k], s->status[k]);
	jsn_close(o, '}');
}

static void
put_step(struct jsn_out *o, const struct steps *all, const struct step *s)
{
	int i;

	jsn_open(o, '{');
	jsn_member_int(o, "t", s->t);
	jsn_member_number(o, "http_reqs", s->sum[SUM_REQS]);
	jsn_member_number(o, "failed", all->is_told[SUM_FAILED] ?
	    s->sum[SUM_FAILED] : s->by_status);
	if (!all->has_tags) {
		jsn_member_number(o, "vus", s->vus);
		for (i = SUM_ITERATIONS; i < SUMS; i++)
			jsn_member_number(o, summed[i], all->is_told[i] ?
			    s->sum[i] : NAN);
	}
	jsn_key(o, "http_req_duration");
	jsn_open(o, '{');
	put_durations(o, &s->trend);
	jsn_close(o, '}');
	if (!all->has_tags)
		put_splits(o, all, s);
	jsn_close(o, '}');
}

/* A metric that the caller named, by its type. */
static void
put_custom(struct jsn_out *o, const struct steps *all, const struct step *s)
{
	(void)all;
	jsn_open(o, '{');
	jsn_member_int(o, "t", s->t);
	jsn_member_text(o, "type",
	    span_of(metric_type_name(s->trend.type)));
	if (s->trend.type == METRIC_TREND) {
		put_trend(o, &s->trend);
	} else {
		jsn_member_int(o, "count", (int64_t)s->trend.count);
		jsn_member_int(o, "nonzero", (int64_t)s->trend.nonzero);
		jsn_member_number(o, "min", s->trend.min);
		jsn_member_number(o, "avg", sink_avg(&s->trend));
		jsn_member_number(o, "max", s->trend.max);
	}
	jsn_member_number(o, "sum", sink_sum(&s->trend));
	jsn_member_number(o, "last", s->trend.last);
	jsn_close(o, '}');
}

static void
put_steps(struct jsn_out *o, const struct steps *all,
    void (*put)(struct jsn_out *, const struct steps *,
    const struct step *))
{
	struct step **sorted = xcalloc(all->by_time.n, sizeof(*sorted));
	size_t at = 0, i, n = 0;

	while (n < all->by_time.n)
		sorted[n++] = map_next(&all->by_time, &at);
	if (n != 0)
		qsort(sorted, n, sizeof(*sorted), by_time);
	jsn_open(o, '[');
	for (i = 0; i < n; i++)
		put(o, all, sorted[i]);
	jsn_close(o, ']');
	free(sorted);
}

static int
read_trend(void *ctx, const struct store_row *row)
{
	struct steps *all = ctx;
	struct store_series_query q = { all->v->owner, row->series,
	    row->type, all->v->series_from };

	return store_points_of(all->v->store, &q, add_trend, all, all->why);
}

/* One of all tag sets together. */
static int
read_whole(void *ctx, const struct store_row *row)
{
	struct steps *all = ctx;
	int i;

	for (i = 0; i < SUMS; i++)
		if (span_is(row->metric, summed[i]))
			want(all, row, (struct wanted){ .sum = (enum sum)i });
	for (i = TIMING_BLOCKED; i < TIMINGS; i++)
		if (span_is(row->metric, timing_names[i]))
			want(all, row, (struct wanted){ .sum = SUMS,
			    .timing = (enum timing)i });
	return span_is(row->metric, timing_names[TIMING_DURATION]) ?
	    read_trend(all, row) : 0;
}

static int
read_overview(struct steps *all, struct why *why)
{
	struct store_query q = { .owner = all->v->owner,
	    .run = all->v->run, .is_whole = true, .has_no_hist = true };
	struct store *s = all->v->store;

	if (store_series(s, &q, read_whole, all, why) < 0)
		return -1;
	q.is_whole = false;
	q.metric = "vus";
	q.from = all->v->series_from;
	if (store_points(s, &q, add_vus, all, why) < 0)
		return -1;
	q.from = 0;
	q.metric = "http_reqs";
	if (store_series(s, &q, read_status, all, why) < 0)
		return -1;
	return read_wanted(all, why);
}

static bool
is_asked(const char *asked, struct span value)
{
	return asked == NULL || span_is(value, asked);
}

/* Are the tags of a series those that are asked for? NULL: no. */
static const struct group *
matching(struct steps *all, const struct store_row *row)
{
	const struct view *v = all->v;
	const struct group *g = groups_of(&all->match, row->tags);

	return g != NULL && is_asked(v->name, g->tag[0]) &&
	    is_asked(v->method, g->tag[1]) &&
	    is_asked(v->status, g->tag[2]) ? g : NULL;
}

static int
read_custom_matching(void *ctx, const struct store_row *row)
{
	struct steps *all = ctx;

	return matching(all, row) != NULL ? read_trend(all, row) : 0;
}

static int
read_custom(struct steps *all, struct why *why)
{
	struct store_query q = { .owner = all->v->owner,
	    .run = all->v->run, .metric = all->v->metric,
	    .is_whole = !all->has_tags, .has_no_hist = true };

	return store_series(all->v->store, &q, all->has_tags ?
	    read_custom_matching : read_trend, all, why);
}

static int
read_matching(void *ctx, const struct store_row *row)
{
	struct steps *all = ctx;
	const struct group *g = matching(all, row);

	all->is_told[SUM_FAILED] |= span_is(row->metric, summed[SUM_FAILED]);
	if (g == NULL)
		return 0;
	if (row->type == METRIC_TREND)
		return read_trend(all, row);
	want(all, row, (struct wanted){ .sum = all->sum,
	    .share = failures_share(g->tag[2]) });
	return 0;
}

/* Requests with the tags that are asked for. */
static int
read_requests(struct steps *all, struct why *why)
{
	struct store_query q = { .owner = all->v->owner,
	    .run = all->v->run, .has_no_hist = true };
	int status = 0, i;

	for (i = SUM_REQS; status == 0 && i <= SUM_FAILED; i++) {
		all->sum = (enum sum)i;
		q.metric = summed[i];
		status = store_series(all->v->store, &q, read_matching, all,
		    why);
	}
	q.metric = timing_names[TIMING_DURATION];
	if (status == 0)
		status = store_series(all->v->store, &q, read_matching, all,
		    why);
	return status == 0 ? read_wanted(all, why) : status;
}

int
view_series(const struct view *v, struct jsn_out *o, struct why *why)
{
	struct steps all = { .v = v, .length = v->step_s, .why = why };
	int status;

	all.has_tags = v->name != NULL || v->method != NULL ||
	    v->status != NULL || v->tags != NULL;
	all.match = (struct groups){ .by = { "name", "method", "status" },
	    .filter = v->tags };
	status = v->metric != NULL ? read_custom(&all, why) :
	    all.has_tags ? read_requests(&all, why) : read_overview(&all, why);
	if (status == 0)
		put_steps(o, &all, v->metric != NULL ? put_custom : put_step);
	steps_release(&all);
	return status;
}
