/* SPDX-License-Identifier: MIT */
#include "k6push/read/open_batches.h"

#include <stdlib.h>

#include "base/units.h"
#include "k6push/wire/wire.h"

/* So that the pieces of a bucket can be read alone. */
static void
declare_metrics(const struct buckets *b, struct buf *lines)
{
	const struct metric *m;
	size_t at = 0;

	while ((m = map_next(&b->gather.metrics->by_name, &at)) != NULL)
		if (m->is_declared)
			stream_print_metric(lines, m, SPAN("[]"),
			    SPAN("null"));
}

static struct parcel *
new_parcel(const struct buckets *b)
{
	struct parcel *p = parcel_new(numbers_take(b->numbers, 1));

	p->id.format = wire_v2.format;
	p->id.flags = (uint16_t)(b->gather.series.period_ns / NS_PER_S);
	p->is_plain = true;
	p->is_loose = b->journal == NULL;
	return p;
}

static struct open_bucket *
find(struct buckets *b, int64_t id)
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

static struct open_bucket *
bucket_of(struct buckets *b, int64_t time_ns)
{
	int64_t id = time_ns / b->gather.series.period_ns;
	struct open_bucket *o = find(b, id);

	if (o != NULL)
		return o;
	b->open = xgrow(b->open, b->n, &b->cap, sizeof(*b->open));
	o = &b->open[b->n];
	*o = (struct open_bucket){ .id = id, .parcel = new_parcel(b) };
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

/* gather.keep: a line, or the type of a metric, which all need. */
static void
keep_line(void *ctx, bool has_time, int64_t time_ns, struct span line)
{
	struct buckets *b = ctx;
	size_t i;

	if (b->journal == NULL)
		return;
	if (has_time) {
		add_line(&bucket_of(b, time_ns)->lines, line);
		return;
	}
	for (i = 0; i < b->n; i++)
		add_line(&b->open[i].lines, line);
}

int
buckets_init(struct buckets *b, const struct settings *s,
    struct metrics *metrics, struct why *why)
{
	if (gather_init(&b->gather, s, metrics, why) < 0)
		return -1;
	b->gather.keep = keep_line;
	b->gather.ctx = b;
	return 0;
}

void
buckets_release(struct buckets *b)
{
	size_t i;

	for (i = 0; i < b->n; i++) {
		parcel_free(b->open[i].parcel);
		buf_release(&b->open[i].lines);
	}
	free(b->open);
	gather_release(&b->gather);
	*b = (struct buckets){ 0 };
}

static int
keep_pieces(struct buckets *b, struct open_bucket *o, struct why *why)
{
	if (o->lines.n == 0)
		return 0;
	if (journal_piece(b->journal, &o->parcel->id, buf_whole(&o->lines),
	    why) < 0)
		return -1;
	buf_reset(&o->lines);
	return 0;
}

int
buckets_keep(struct buckets *b, struct why *why)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		if (keep_pieces(b, &b->open[i], why) < 0)
			return -1;
	return 0;
}

/* The parcel of a bucket, which is open no more. */
static struct parcel *
close_bucket(struct buckets *b, int64_t id)
{
	struct open_bucket *o = find(b, id);
	struct parcel *p;
	struct why why;

	if (o == NULL) {	/* without pieces */
		p = new_parcel(b);
		p->is_loose = true;
		return p;
	}
	p = o->parcel;
	if (keep_pieces(b, o, &why) < 0 ||
	    journal_cut(b->journal, &p->id, &why) < 0)
		p->is_loose = true;
	buf_release(&o->lines);
	*o = b->open[--b->n];
	return p;
}

static int64_t
id_of(const struct buckets *b, const struct timeseries_taken *taken)
{
	return taken->series[0].values[0].second /
	    (b->gather.series.period_ns / NS_PER_S);
}

void
buckets_take(struct buckets *b, bool is_all)
{
	struct timeseries_taken taken;
	struct metricset set = { .run = SPAN(""), .period_s =
	    (uint32_t)(b->gather.series.period_ns / NS_PER_S) };
	struct pb_out message = { 0 };
	struct parcel *p;

	while (gather_next(&b->gather, is_all, &taken)) {
		set.series = taken.series;
		set.n = taken.n;
		metricset_encode(&set, &message);
		p = close_bucket(b, id_of(b, &taken));
		p->id.samples = taken.n;
		p->id.points = gather_points(&set);
		p->id.requests = gather_requests(&set);
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
buckets_set(struct buckets *b, int64_t period_ns, int64_t wait_ns)
{
	b->gather.wait_ns = wait_ns;
	if (period_ns == b->gather.series.period_ns)
		return;
	buckets_take(b, true);
	b->gather.series.period_ns = period_ns;
}

void
buckets_drop(struct buckets *b, struct amount *lost)
{
	struct timeseries_taken taken;
	struct metricset set = { 0 };

	while (gather_next(&b->gather, true, &taken)) {
		set.series = taken.series;
		set.n = taken.n;
		lost->points += gather_points(&set);
		lost->requests += gather_requests(&set);
		timeseries_taken_release(&taken);
	}
}
