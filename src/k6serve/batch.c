/* SPDX-License-Identifier: MIT */
#include "k6serve/batch.h"

#include <stdlib.h>

#include "base/units.h"

enum {
	ALL_TAGS = UINT32_MAX,	/* in place of a tag set's number */
	USUAL_PERIOD_S = 3,	/* of k6, when nothing tells it */
};

/* A metric of one type. */
struct series_of {
	struct span name;
	enum metric_type type;
	uint32_t id;
	char text[];		/* type, then the name */
};

struct cell_key {
	uint32_t metric, tags;
	int64_t second;
};

/* Values of one metric and tag set in one second. */
struct cell {
	struct cell_key key;
	const struct series_of *metric;
	struct span tags;	/* JSON; n 0: all together */
	struct sink sink;
};

void
batch_release(struct batch *b)
{
	struct series_of *metric;
	size_t at = 0, i;

	for (i = 0; i < b->n; i++) {
		sink_release(&b->all[i]->sink);
		free(b->all[i]);
	}
	free(b->all);
	free(b->rows);
	while ((metric = map_next(&b->metrics, &at)) != NULL)
		free(metric);
	map_release(&b->cells);
	map_release(&b->metrics);
	tags_release(&b->tags);
	*b = (struct batch){ 0 };
}

static const struct series_of *
metric_of(struct batch *b, struct span name, enum metric_type type)
{
	struct series_of *metric;
	char key[256];
	struct span k = { key, name.n + 1 };

	if (name.n >= sizeof(key))	/* names of k6 have at most 128 */
		name.n = k.n = sizeof(key) - 1;
	key[0] = (char)type;
	memcpy(key + 1, name.p, k.n - 1);
	metric = map_get(&b->metrics, k);
	if (metric != NULL)
		return metric;
	metric = xcalloc(1, sizeof(*metric) + k.n);
	memcpy(metric->text, key, k.n);
	metric->name = (struct span){ metric->text + 1, k.n - 1 };
	metric->type = type;
	metric->id = (uint32_t)b->metrics.n;
	map_put(&b->metrics, (struct span){ metric->text, k.n }, metric);
	return metric;
}

static struct sink *
sink_of(struct batch *b, const struct series_of *metric, struct cell_key key,
    struct span tags)
{
	struct cell *cell = map_get(&b->cells,
	    (struct span){ (const char *)&key, sizeof(key) });

	if (cell != NULL)
		return &cell->sink;
	cell = xcalloc(1, sizeof(*cell));
	cell->key = key;
	cell->metric = metric;
	cell->tags = tags;
	cell->sink.type = metric->type;
	map_put(&b->cells, (struct span){ (const char *)&cell->key,
	    sizeof(cell->key) }, cell);
	b->all = xgrow(b->all, b->n, &b->cap, sizeof(b->all[0]));
	b->all[b->n++] = cell;
	return &cell->sink;
}

static int64_t
second_of(int64_t ns)
{
	return ns / NS_PER_S - (ns % NS_PER_S < 0);
}

/* Where a sample's values of one metric belong. */
static struct sink *
place(struct batch *b, const struct sample *s, struct span name,
    enum metric_type type)
{
	const struct series_of *metric = metric_of(b, name, type);
	struct cell_key key = { metric->id, s->tags->id,
	    second_of(s->time_ns) };

	return sink_of(b, metric, key, s->tags->json);
}

static void
add_trail(struct batch *b, const struct sample *s)
{
	const struct trail *t = s->trail;
	int i;

	sink_add(place(b, s, SPAN("http_reqs"), METRIC_COUNTER), 1,
	    t->time_ns);
	for (i = 0; i < TIMINGS; i++)
		sink_add(place(b, s, span_of(timing_names[i]), METRIC_TREND),
		    (double)t->ns[i] / 1e6, t->time_ns);
	if (t->failed >= 0)
		sink_add(place(b, s, SPAN("http_req_failed"), METRIC_RATE),
		    t->failed, t->time_ns);
}

static void
add_net(struct batch *b, const struct sample *s)
{
	static const enum metric_type types[NET_VALUES] = { METRIC_COUNTER,
	    METRIC_COUNTER, METRIC_TREND, METRIC_COUNTER };
	int i;

	for (i = 0; i < s->net->n; i++)
		sink_add(place(b, s, span_of(net_names[i]), types[i]),
		    s->net->value[i], s->net->time_ns);
}

/* Without a histogram only three things are known: one value is the least,
 * one the greatest, and the others have a known mean. */
static void
guess_hist(struct hist *h, const struct sink *s)
{
	if (s->count == 1) {
		hist_add(h, s->sum, 1);
		return;
	}
	hist_add(h, s->min, 1);
	hist_add(h, s->max, 1);
	if (s->count > 2)
		hist_add(h, (s->sum - s->min - s->max) /
		    (double)(s->count - 2), s->count - 2);
}

static void
add_fold(struct sink *to, const struct aggregate *a, const struct fold *f)
{
	struct sink s = {
		.type = METRIC_TREND,
		.count = a->count,
		.nonzero = f->max_ns != 0 ? a->count : 0,
		.sum = (double)f->sum_ns / 1e6,
		.min = (double)f->min_ns / 1e6,
		.max = (double)f->max_ns / 1e6,
		.last_ns = a->time_ns,
	};

	s.last = sink_avg(&s);
	if (hist_count(&f->hist) == a->count)
		hist_merge(&s.hist, &f->hist);
	else
		guess_hist(&s.hist, &s);
	sink_merge(to, &s);
	sink_release(&s);
}

/* How often and how many of them not 0, as a sink of values 0 and 1. */
static void
add_counts(struct sink *to, uint64_t count, uint64_t nonzero, int64_t ns)
{
	struct sink s = {
		.type = to->type, .count = count, .nonzero = nonzero,
		.sum = (double)nonzero, .min = nonzero == count,
		.max = nonzero != 0, .last = nonzero != 0, .last_ns = ns,
	};

	sink_merge(to, &s);
}

/* The longest period rules how coarse a chart must be. Real k6 does not send
 * it; then the times tell, since they are the middles of the buckets. */
static void
note_period(struct batch *b, const struct aggregate *a)
{
	int64_t gap = llabs(a->time_ns - b->fold_ns);

	if (a->period_ns > b->period_ns)
		b->period_ns = a->period_ns;
	if (a->period_ns != 0)
		return;
	if (b->fold_ns != 0 && gap != 0 && (b->gap_ns == 0 ||
	    gap < b->gap_ns))
		b->gap_ns = gap;
	b->fold_ns = a->time_ns;
}

static void
add_aggregate(struct batch *b, const struct sample *s)
{
	const struct aggregate *a = s->aggregate;
	int i;

	note_period(b, a);
	add_counts(place(b, s, SPAN("http_reqs"), METRIC_COUNTER), a->count,
	    a->count, a->time_ns);
	for (i = 0; i < TIMINGS; i++)
		add_fold(place(b, s, span_of(timing_names[i]), METRIC_TREND),
		    a, &a->timing[i]);
	if (a->failed_count != 0)
		add_counts(place(b, s, SPAN("http_req_failed"), METRIC_RATE),
		    a->failed_count, a->failed_nonzero, a->time_ns);
}

int
batch_add(void *ctx, const struct sample *s)
{
	struct batch *b = ctx;

	switch (s->kind) {
	case SAMPLE_POINT:
		sink_add(place(b, s, s->metric, s->type), s->value,
		    s->time_ns);
		break;
	case SAMPLE_TRAIL:
		add_trail(b, s);
		break;
	case SAMPLE_NET:
		add_net(b, s);
		break;
	case SAMPLE_AGGREGATE:
		add_aggregate(b, s);
		break;
	}
	b->requests += sample_requests(s);
	b->points += sample_points(s);
	if (b->first_ns == 0 || s->time_ns < b->first_ns)
		b->first_ns = s->time_ns;
	if (b->last_ns == 0 || s->time_ns > b->last_ns)
		b->last_ns = s->time_ns;
	return 0;
}

static int
by_series(const void *a, const void *b)
{
	const struct cell_key *x = &(*(struct cell *const *)a)->key;
	const struct cell_key *y = &(*(struct cell *const *)b)->key;

	if (x->tags != y->tags)
		return x->tags < y->tags ? -1 : 1;
	if (x->metric != y->metric)
		return x->metric < y->metric ? -1 : 1;
	return (x->second > y->second) - (x->second < y->second);
}

/* For each metric and second a cell more, with all tag sets together. */
static void
add_wholes(struct batch *b)
{
	struct cell_key key;
	size_t i, n = b->n;

	for (i = 0; i < n; i++) {
		key = b->all[i]->key;
		key.tags = ALL_TAGS;
		sink_merge(sink_of(b, b->all[i]->metric, key,
		    (struct span){ NULL, 0 }), &b->all[i]->sink);
	}
}

static int64_t
step_of(const struct batch *b)
{
	int64_t ns = b->period_ns;

	if (b->fold_ns != 0 && b->gap_ns == 0)
		ns = USUAL_PERIOD_S * NS_PER_S;
	else if (b->gap_ns > ns)
		ns = b->gap_ns;
	if (ns > 3600 * NS_PER_S)
		ns = 3600 * NS_PER_S;
	return ns <= NS_PER_S ? 1 : (ns + NS_PER_S - 1) / NS_PER_S;
}

void
batch_rows(struct batch *b, struct store_batch *out)
{
	size_t i;

	add_wholes(b);
	qsort(b->all, b->n, sizeof(b->all[0]), by_series);
	b->rows = xcalloc(b->n, sizeof(b->rows[0]));
	for (i = 0; i < b->n; i++)
		b->rows[i] = (struct store_row){ b->all[i]->metric->name,
		    b->all[i]->metric->type, b->all[i]->tags,
		    b->all[i]->key.second, &b->all[i]->sink };
	out->rows = b->rows;
	out->n = b->n;
	out->requests = (int64_t)b->requests;
	out->points = (int64_t)b->points;
	out->first_ns = b->first_ns;
	out->last_ns = b->last_ns;
	out->step_s = step_of(b);
}
