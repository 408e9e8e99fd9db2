/* SPDX-License-Identifier: MIT */
/* Adds up samples in cells, which become rows for the store. */
#include "k6serve/ingest/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/units.h"

enum {
	ALL_TAGS = UINT32_MAX,	/* in place of a tag set's number */
	TAGS_OF_BODY = 25000,	/* least of what a body may have */
	USUAL_PERIOD_S = 3,	/* of k6, when nothing tells it */
};

/* A metric of one type. */
struct series_of {
	struct span name;
	enum metric_type type;
	bool keeps_fine;	/* its values may be small: no milliseconds */
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

uint32_t
batch_most_tags(int64_t max_series)
{
	if (max_series / 4 >= ALL_TAGS)
		return ALL_TAGS;
	return max_series / 4 > TAGS_OF_BODY ? (uint32_t)(max_series / 4)
	    : TAGS_OF_BODY;
}

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
	free(b->slow);
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
	const struct metric *builtin;
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
	builtin = metric_builtin(metric->name);
	metric->keeps_fine = type == METRIC_TREND && (builtin == NULL ||
	    builtin->contains != CONTAINS_TIME);
	metric->id = (uint32_t)b->metrics.n;
	map_put(&b->metrics, (struct span){ metric->text, k.n }, metric);
	return metric;
}

static struct cell *
cell_of(struct batch *b, const struct series_of *metric, struct cell_key key,
    struct span tags)
{
	struct cell *cell = map_get(&b->cells,
	    (struct span){ (const char *)&key, sizeof(key) });

	if (cell != NULL)
		return cell;
	cell = xcalloc(1, sizeof(*cell));
	cell->key = key;
	cell->metric = metric;
	cell->tags = tags;
	cell->sink.type = metric->type;
	cell->sink.hist.keeps_fine = metric->keeps_fine;
	map_put(&b->cells, (struct span){ (const char *)&cell->key,
	    sizeof(cell->key) }, cell);
	b->all = xgrow(b->all, b->n, &b->cap, sizeof(b->all[0]));
	b->all[b->n++] = cell;
	return cell;
}

static int64_t
second_of(int64_t ns)
{
	return num_floor_div(ns, NS_PER_S);
}

/* Where in b->recent the cell may be. Metrics of one request differ in length
 * or in the letters here. */
static size_t
slot_of(struct span name, uint32_t tags, int64_t second)
{
	size_t letter = name.n > 4 ? (unsigned char)name.p[name.n - 4] : 0;

	return (name.n + 7 * letter + 37 * (size_t)tags +
	    1000003 * (size_t)second) % BATCH_RECENT;
}

static bool
is_cell(const struct cell *cell, const struct sample_series *at,
    uint32_t tags, int64_t second)
{
	return cell->key.tags == tags && cell->key.second == second &&
	    cell->metric->type == at->type &&
	    span_equal(cell->metric->name, at->metric);
}

/* Where values belong; for sample_sink. */
static struct sink *
sink_at(void *ctx, const struct sample_series *at)
{
	static const struct tag other = { { "name", 4 }, { "__other__", 9 } };
	struct batch *b = ctx;
	const struct series_of *metric;
	const struct tagset *tags = at->tags;
	int64_t second = second_of(at->time_ns);
	struct cell **recent;

	if (tags->id >= b->most_tags)
		tags = tags_intern(&b->tags, &other, 1);
	recent = &b->recent[slot_of(at->metric, tags->id, second)];
	if (*recent == NULL || !is_cell(*recent, at, tags->id, second)) {
		metric = metric_of(b, at->metric, at->type);
		*recent = cell_of(b, metric, (struct cell_key){ metric->id,
		    tags->id, second }, tags->json);
	}
	return &(*recent)->sink;
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

static int
slowest_first(const void *a, const void *b)
{
	int64_t x = ((const struct store_slow *)a)->ns[TIMING_DURATION];
	int64_t y = ((const struct store_slow *)b)->ns[TIMING_DURATION];

	return (x < y) - (x > y);
}

static void
cut_slow(struct batch *b)
{
	if (b->n_slow <= STORE_SLOW)
		return;
	if (b->n_slow > 0)
		qsort(b->slow, b->n_slow, sizeof(b->slow[0]), slowest_first);
	b->n_slow = STORE_SLOW;
}

/* Every so often the faster ones go. */
static void
note_slow(struct batch *b, const struct trail *t, struct span tags)
{
	struct store_slow slow = { .time_ns = t->time_ns,
	    .failed = t->failed, .tags = tags };

	if (b->n_slow == (size_t)32 * STORE_SLOW)
		cut_slow(b);
	memcpy(slow.ns, t->ns, sizeof(slow.ns));
	b->slow = xgrow(b->slow, b->n_slow, &b->cap_slow, sizeof(b->slow[0]));
	b->slow[b->n_slow++] = slow;
}

static void
note_time(struct batch_times *times, int64_t time_ns)
{
	if (times->first_ns == 0 || time_ns < times->first_ns)
		times->first_ns = time_ns;
	if (times->last_ns == 0 || time_ns > times->last_ns)
		times->last_ns = time_ns;
}

int
batch_add(void *ctx, const struct sample *s)
{
	struct batch *b = ctx;

	if (s->kind == SAMPLE_AGGREGATE)
		note_period(b, s->aggregate);
	if (s->kind == SAMPLE_TRAIL)
		note_slow(b, s->trail, s->tags->json);
	sample_sink(s, sink_at, b);
	b->requests += sample_requests(s);
	b->points += sample_points(s);
	note_time(s->kind == SAMPLE_AGGREGATE ? &b->middles : &b->exact,
	    s->time_ns);
	return 0;
}

int
batch_add_value(void *ctx, const struct sample_series *at,
    const struct sink *sink)
{
	struct batch *b = ctx;

	sink_merge(sink_at(b, at), sink);
	if (span_is(at->metric, "http_reqs") && sink_sum(sink) > 0 &&
	    sink_sum(sink) < 0x1p53)
		b->requests += (uint64_t)sink_sum(sink);
	b->points += sink->count;
	note_time(&b->starts, at->time_ns);
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
		sink_merge(&cell_of(b, b->all[i]->metric, key,
		    (struct span){ NULL, 0 })->sink, &b->all[i]->sink);
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

static void
add_extent(struct store_extent *e, const struct batch_times *times,
    int64_t before_ns, int64_t behind_ns)
{
	if (times->first_ns == 0)
		return;
	store_extent_add(e, &(struct store_extent){
	    times->first_ns - before_ns, times->last_ns + behind_ns,
	    times->first_ns + behind_ns, times->last_ns - before_ns });
}

/* What is in a bucket was somewhere between its ends. */
static struct store_extent
extent_of(const struct batch *b)
{
	int64_t period_ns = b->period_ns != 0 ? b->period_ns
	    : step_of(b) * NS_PER_S;
	struct store_extent e = { 0 };

	add_extent(&e, &b->exact, 0, 0);
	add_extent(&e, &b->middles, period_ns / 2, period_ns / 2);
	add_extent(&e, &b->starts, 0, period_ns);
	return e;
}

void
batch_rows(struct batch *b, struct store_batch *out)
{
	size_t i;

	add_wholes(b);
	if (b->n > 0)
		qsort(b->all, b->n, sizeof(b->all[0]), by_series);
	b->rows = xcalloc(b->n, sizeof(b->rows[0]));
	for (i = 0; i < b->n; i++)
		b->rows[i] = (struct store_row){ b->all[i]->metric->name,
		    b->all[i]->metric->type, b->all[i]->tags,
		    b->all[i]->key.second, &b->all[i]->sink, 0 };
	out->rows = b->rows;
	out->n = b->n;
	cut_slow(b);
	out->slow = b->slow;
	out->n_slow = b->n_slow;
	out->requests = (int64_t)b->requests;
	out->points = (int64_t)b->points;
	out->data = extent_of(b);
	out->step_s = step_of(b);
}
