/* SPDX-License-Identifier: MIT */
/* The open time buckets of protocol 2, each a batch to come. */
#include "k6push/read/open_batches.h"

#include <stdlib.h>

#include "base/units.h"
#include "k6push/wire/wire.h"

static struct batch *
new_batch(const struct open_batches *b)
{
	struct batch *p = open_batch_new(numbers_take(b->numbers, 1),
	    wire_v2.format, b->journal == NULL);

	p->id.flags = (uint16_t)(b->collect.series.period_ns / NS_PER_S);
	return p;
}

static struct open_batch *
find(struct open_batches *b, int64_t id)
{
	size_t i;

	if (b->last < b->n && b->open[b->last].id == id)
		return &b->open[b->last];
	for (i = 0; i < b->n; i++)
		if (b->open[i].id == id) {
			b->last = i;
			return &b->open[i];
		}
	return NULL;
}

static struct open_batch *
bucket_of(struct open_batches *b, int64_t time_ns)
{
	int64_t id = time_ns / b->collect.series.period_ns;
	struct open_batch *o = find(b, id);

	if (o != NULL)
		return o;
	b->open = xgrow(b->open, b->n, &b->cap, sizeof(*b->open));
	o = &b->open[b->n];
	*o = (struct open_batch){ .id = id, .batch = new_batch(b) };
	b->last = b->n++;
	open_batch_declare(o, b->collect.metrics);
	return o;
}

/* series.keep: a line, or the type of a metric, which all need. */
static void
keep_line(void *ctx, const struct series_collect_line *line)
{
	struct open_batches *b = ctx;
	size_t i;

	if (b->journal == NULL)
		return;
	if (line->has_time) {
		open_batch_line(bucket_of(b, line->time_ns), line->text,
		    line->points, line->requests);
		return;
	}
	for (i = 0; i < b->n; i++)
		open_batch_line(&b->open[i], line->text, 0, 0);
}

int
open_batches_init(struct open_batches *b, const struct settings *s,
    struct metrics *metrics, struct why *why)
{
	if (series_collect_init(&b->collect, s, metrics, why) < 0)
		return -1;
	b->collect.keep = keep_line;
	b->collect.ctx = b;
	b->taker = series_collect_taker(&b->collect);
	return 0;
}

void
open_batches_release(struct open_batches *b)
{
	size_t i;

	for (i = 0; i < b->n; i++) {
		batch_free(b->open[i].batch);
		buf_release(&b->open[i].lines);
	}
	free(b->open);
	series_collect_release(&b->collect);
	*b = (struct open_batches){ 0 };
}

/* cutter.keep */
static int
keep(void *ctx, struct why *why)
{
	struct open_batches *b = ctx;
	size_t i;

	for (i = 0; i < b->n; i++)
		if (open_batch_keep(&b->open[i], b->journal, why) < 0)
			return -1;
	return 0;
}

/* The batch of a bucket, which is open no more. */
static struct batch *
close_bucket(struct open_batches *b, int64_t id)
{
	struct open_batch *o = find(b, id);
	struct batch *p;

	if (o == NULL) {	/* without pieces */
		p = new_batch(b);
		p->is_loose = true;
		return p;
	}
	p = open_batch_close(o, b->journal);
	*o = b->open[--b->n];
	return p;
}

static int64_t
id_of(const struct open_batches *b, const struct timeseries_taken *taken)
{
	return taken->series[0].values[0].second /
	    (b->collect.series.period_ns / NS_PER_S);
}

/* cutter.take: the buckets that are due, or all. */
static void
take(void *ctx, bool is_all)
{
	struct open_batches *b = ctx;
	struct timeseries_taken taken;
	struct metricset set = { .run = SPAN(""), .period_s =
	    (uint32_t)(b->collect.series.period_ns / NS_PER_S) };
	struct pb_out message = { 0 };
	struct batch *p;

	while (series_collect_next(&b->collect, is_all, &taken)) {
		set.series = taken.series;
		set.n = taken.n;
		metricset_encode(&set, &message);
		p = close_bucket(b, id_of(b, &taken));
		p->id.samples = taken.n;
		p->id.points = series_collect_points(&set);
		p->id.requests = series_collect_requests(&set);
		p->id.plain_bytes = message.n;
		buf_span(&p->body, pb_whole(&message));
		if (p->is_loose)
			packer_count_loose(b->packer, p);
		packer_put(b->packer, p);
		timeseries_taken_release(&taken);
		message.n = 0;
	}
	pb_release(&message);
}

void
open_batches_set(struct open_batches *b, int64_t period_ns, int64_t wait_ns)
{
	b->collect.wait_ns = wait_ns;
	if (period_ns == b->collect.series.period_ns)
		return;
	take(b, true);
	b->collect.series.period_ns = period_ns;
}

/* cutter.drop */
static void
drop(void *ctx, struct amount *lost)
{
	struct open_batches *b = ctx;
	struct timeseries_taken taken;
	struct metricset set = { 0 };

	while (series_collect_next(&b->collect, true, &taken)) {
		set.series = taken.series;
		set.n = taken.n;
		lost->points += series_collect_points(&set);
		lost->requests += series_collect_requests(&set);
		timeseries_taken_release(&taken);
	}
}

struct cutter
open_batches_cutter(struct open_batches *b)
{
	return (struct cutter){ b, keep, take, drop };
}
