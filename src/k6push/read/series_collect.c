/* SPDX-License-Identifier: MIT */
/* For protocol 2: samples in, batches of time series out. */
#include "k6push/read/series_collect.h"

#include <stdlib.h>

#include "base/die.h"
#include "base/units.h"

enum {
	/* Of open buckets; past it all leave early. Receivers add up values
	 * of one bucket. */
	ENTRIES_MAX = 500000,
};

/* A duration of protocol 2; unset, it is k6's default for that protocol and
 * not the one that k6agg has. -1: it is not of whole seconds. */
static int
duration_of(const struct settings *s, enum setting which, int64_t fallback_s,
    int64_t *ns, struct why *why)
{
	*ns = s->v[which].source == FROM_DEFAULT ? fallback_s * NS_PER_S
	    : settings_int(s, which);
	if (*ns > 0 && *ns % NS_PER_S == 0)
		return 0;
	return why_set(why, "%s: protocol 2 needs whole seconds, not %s",
	    settings_table[which].env, settings_text(s, which));
}

int
series_collect_rule(const struct settings *s, int64_t *period_ns,
    int64_t *wait_ns, struct why *why)
{
	if (duration_of(s, SET_PERIOD, 3, period_ns, why) < 0)
		return -1;
	return duration_of(s, SET_WAIT_PERIOD, 8, wait_ns, why);
}

int
series_collect_init(struct series_collect *g, const struct settings *s,
    struct metrics *metrics, struct why *why)
{
	*g = (struct series_collect){ .metrics = metrics,
	    .latest_ns = INT64_MIN,
	    .max_series = (size_t)settings_int(s, SET_MAX_TIME_SERIES) };
	return series_collect_rule(s, &g->series.period_ns, &g->wait_ns, why);
}

void
series_collect_release(struct series_collect *g)
{
	char *key;
	size_t at = 0;

	timeseries_release(&g->series);
	while ((key = map_next(&g->reserved, &at)) != NULL)
		free(key);
	map_release(&g->reserved);
}

static void
note_time(struct series_collect *g, int64_t time_ns)
{
	if (time_ns <= g->latest_ns)
		return;
	g->latest_ns = time_ns;
	g->seen_ns = 0;		/* set when somebody asks */
}

static void
take_point(void *ctx, const struct point *p)
{
	struct series_collect *g = ctx;

	note_time(g, p->time_ns);
	sink_add(timeseries_sink(&g->series, p->metric, p->tags, p->time_ns),
	    p->value, p->time_ns);
	if (g->keep != NULL)
		g->keep(g->ctx, &(struct series_collect_line){ p->line, true,
		    p->time_ns, 1, (uint64_t)point_requests(p->metric->name,
		    p->value) });
}

static struct sink *
sink_at(void *ctx, const struct sample_series *at)
{
	struct series_collect *g = ctx;

	note_time(g, at->time_ns);
	g->at_ns = at->time_ns;
	return timeseries_sink(&g->series, metrics_get(g->metrics,
	    at->metric), at->tags, at->time_ns);
}

static void
take_sample(void *ctx, const struct sample *s, struct span line)
{
	struct series_collect *g = ctx;

	sample_sink(s, sink_at, g);
	if (g->keep != NULL)
		g->keep(g->ctx, &(struct series_collect_line){ line, true,
		    g->at_ns, sample_points(s), sample_requests(s) });
}

static void
take_metric(void *ctx, struct span line)
{
	struct series_collect *g = ctx;

	if (g->keep != NULL)
		g->keep(g->ctx, &(struct series_collect_line){ .text = line });
}

static void
forget_tags(void *ctx)
{
	struct series_collect *g = ctx;

	timeseries_forget_tags(&g->series);
}

struct by_series
series_collect_taker(struct series_collect *g)
{
	return (struct by_series){ g, take_point, take_sample, take_metric,
	    forget_tags };
}

/* k6's warning, once for each key. */
static void
warn_of_reserved(struct series_collect *g, const struct tagset *tags)
{
	struct span key;
	size_t i;

	for (i = 0; i < tags->n; i++) {
		key = tags->tags[i].key;
		if (!metricset_is_reserved(key) ||
		    map_get(&g->reserved, key) != NULL)
			continue;
		warnf("Tag %.*s has been discarded since it is reserved for "
		    "Cloud operations.", (int)key.n, key.p);
		key.p = xstrndup(key.p, key.n);
		map_put(&g->reserved, key, (void *)key.p);
	}
}

/* The stream's clock; while it stands still, time goes on. */
static int64_t
now_of(struct series_collect *g)
{
	int64_t now = now_monotonic_ns();

	if (g->seen_ns == 0)
		g->seen_ns = now;
	return g->latest_ns + (now - g->seen_ns);
}

/* Take buckets that are due, or all: the oldest, so many of them. */
static bool
take_due(struct series_collect *g, bool is_all, size_t most,
    struct timeseries_taken *out)
{
	int64_t now = INT64_MAX;
	size_t i;

	if (g->series.n == 0)
		return false;
	if (!is_all && g->series.n_entries < ENTRIES_MAX)
		now = now_of(g);
	if (!timeseries_is_due(&g->series, now, g->wait_ns))
		return false;
	timeseries_take(&g->series, now, g->wait_ns, most, out);
	for (i = 0; i < out->n; i++)
		warn_of_reserved(g, out->series[i].tags);
	return true;
}

bool
series_collect_next(struct series_collect *g, bool is_all,
    struct timeseries_taken *out)
{
	return take_due(g, is_all, 1, out);
}

void
series_collect_take(struct series_collect *g, bool is_all,
    series_collect_each *each, void *ctx)
{
	struct timeseries_taken taken;
	struct metricset batch = { .run = SPAN(""),
	    .period_s = (uint32_t)(g->series.period_ns / NS_PER_S) };
	size_t i;

	if (!take_due(g, is_all, SIZE_MAX, &taken))
		return;
	for (i = 0; i < taken.n; i += batch.n) {
		batch.series = taken.series + i;
		batch.n = taken.n - i < g->max_series ? taken.n - i
		    : g->max_series;
		each(ctx, &batch);
	}
	timeseries_taken_release(&taken);
}

uint64_t
series_collect_points(const struct metricset *batch)
{
	uint64_t points = 0;
	size_t i, k;

	for (i = 0; i < batch->n; i++)
		for (k = 0; k < batch->series[i].n; k++)
			points += batch->series[i].values[k].sink->count;
	return points;
}

uint64_t
series_collect_requests(const struct metricset *batch)
{
	uint64_t requests = 0;
	double sum;
	size_t i, k;

	for (i = 0; i < batch->n; i++) {
		if (!span_is(batch->series[i].metric, "http_reqs"))
			continue;
		for (k = 0; k < batch->series[i].n; k++) {
			sum = sink_sum(batch->series[i].values[k].sink);
			requests += sum > 0 && sum < 0x1p53 ? (uint64_t)sum
			    : 0;
		}
	}
	return requests;
}
