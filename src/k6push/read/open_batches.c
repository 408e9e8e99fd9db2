/* SPDX-License-Identifier: MIT */
/* The open time buckets of protocol 2, each a batch to come. */
#include "k6push/read/open_batches.h"

#include <stdlib.h>

#include "base/units.h"
#include "k6push/wire/wire.h"

/* So that the pieces of a bucket can be read alone. */
static void
declare_metrics(const struct open_batches *b, struct buf *lines)
{
	const struct metric *m;
	size_t at = 0;

	while ((m = map_next(&b->collect.metrics->by_name, &at)) != NULL)
		if (m->is_declared)
			stream_print_metric(lines, m, SPAN("[]"),
			    SPAN("null"));
}

static struct batch *
new_batch(const struct open_batches *b)
{
	struct batch *p = batch_new(numbers_take(b->numbers, 1));

	p->id.format = wire_v2.format;
	p->id.flags = (uint16_t)(b->collect.series.period_ns / NS_PER_S);
	p->is_plain = true;
	p->is_loose = b->journal == NULL;
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
	declare_metrics(b, &o->lines);
	return o;
}

static void
add_line(struct buf *lines, struct span line)
{
	buf_span(lines, line);
	buf_char(lines, '\n');
}

/* series.keep: a line, or the type of a metric, which all need. */
static void
keep_line(void *ctx, const struct series_collect_line *line)
{
	struct open_batches *b = ctx;
	struct open_batch *o;
	size_t i;

	if (b->journal == NULL)
		return;
	if (line->has_time) {
		o = bucket_of(b, line->time_ns);
		add_line(&o->lines, line->text);
		o->batch->id.points += line->points;
		o->batch->id.requests += line->requests;
		return;
	}
	for (i = 0; i < b->n; i++)
		add_line(&b->open[i].lines, line->text);
}

int
open_batches_init(struct open_batches *b, const struct settings *s,
    struct metrics *metrics, struct why *why)
{
	if (series_collect_init(&b->collect, s, metrics, why) < 0)
		return -1;
	b->collect.keep = keep_line;
	b->collect.ctx = b;
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

static int
keep_pieces(struct open_batches *b, struct open_batch *o, struct why *why)
{
	if (o->lines.n == 0)
		return 0;
	if (journal_piece(b->journal, &o->batch->id, buf_whole(&o->lines),
	    why) < 0)
		return -1;
	buf_reset(&o->lines);
	return 0;
}

int
open_batches_keep(struct open_batches *b, struct why *why)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		if (keep_pieces(b, &b->open[i], why) < 0)
			return -1;
	return 0;
}

/* The batch of a bucket, which is open no more. */
static struct batch *
close_bucket(struct open_batches *b, int64_t id)
{
	struct open_batch *o = find(b, id);
	struct batch *p;
	struct why why;

	if (o == NULL) {	/* without pieces */
		p = new_batch(b);
		p->is_loose = true;
		return p;
	}
	p = o->batch;
	if (keep_pieces(b, o, &why) < 0 ||
	    journal_cut(b->journal, &p->id, &why) < 0)
		p->is_loose = true;
	buf_release(&o->lines);
	*o = b->open[--b->n];
	return p;
}

static int64_t
id_of(const struct open_batches *b, const struct timeseries_taken *taken)
{
	return taken->series[0].values[0].second /
	    (b->collect.series.period_ns / NS_PER_S);
}

void
open_batches_take(struct open_batches *b, bool is_all)
{
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
	open_batches_take(b, true);
	b->collect.series.period_ns = period_ns;
}

void
open_batches_drop(struct open_batches *b, struct amount *lost)
{
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
