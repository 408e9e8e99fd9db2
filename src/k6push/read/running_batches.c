/* SPDX-License-Identifier: MIT */
/* Running series, cut into batches. */
#include "k6push/read/running_batches.h"

#include <stdlib.h>

#include "base/units.h"

enum {
	CHANGED_MAX = 8000,	/* series in one batch; the uploader divides */
	SINKS_MAX = 16,		/* metrics that a sample stands for */
};

/* A sample's values, by series. */
struct spread {
	struct running_batches *b;
	struct running_series *series[SINKS_MAX];
	struct sink sinks[SINKS_MAX];
	int n;
	int64_t time_ns;
};

/* A batch that only marks the begin or end of series; none if it is empty. */
static void
put_marks(struct running_batches *b, struct running_series *const *list,
    size_t n, enum running_what what, uint64_t number)
{
	struct batch *p = open_batch_new(number, wire_rw.format, true);

	p->id.flags = (uint16_t)(list[0]->key.target->lane | RW_MARKS);
	p->id.samples = running_encode(&b->running, list, n, what, &p->body);
	p->id.plain_bytes = p->body.n;
	if (p->id.samples > 0)
		b->put(b->put_ctx, p);
	else
		batch_free(p);
}

/* What is only in memory is packed in this order, and so on disk. */
static void
cut_lane(struct running_batches *b, struct running_lane *lane,
    struct running_series *const *list, size_t n, enum running_what what)
{
	struct batch *p;

	if (lane->open.batch == NULL)
		return;
	p = open_batch_close(&lane->open, b->journal);
	if (n > 0)
		put_marks(b, list, n, RUNNING_BEGIN, p->id.number -
		    RUNNING_SPARE);
	p->id.samples = running_encode(&b->running, list, n, what, &p->body);
	p->id.plain_bytes = p->body.n;
	lane->n = 0;
	b->put(b->put_ctx, p);
	if (what == RUNNING_LAST && n > 0 && b->running.config.is_stale_told)
		put_marks(b, list, n, RUNNING_STALE, numbers_take(b->numbers,
		    1));
}

static struct open_batch *
open_lane(struct running_batches *b, unsigned number)
{
	struct running_lane *lane = &b->lanes[number];

	if (lane->open.batch != NULL)
		return &lane->open;
	lane->open.batch = open_batch_new(numbers_take(b->numbers,
	    1 + RUNNING_SPARE) + RUNNING_SPARE, wire_rw.format,
	    b->journal == NULL);
	lane->open.batch->id.flags = (uint16_t)number;
	lane->begun_ns = now_monotonic_ns();
	if (b->journal != NULL)
		open_batch_declare(&lane->open, b->running.metrics);
	return &lane->open;
}

static void
cut_changed(struct running_batches *b, struct running_lane *lane)
{
	cut_lane(b, lane, lane->changed, lane->n, RUNNING_VALUES);
}

/* Does the stream go on to the next slot? Then what was before is cut. */
static void
note_time(struct running_batches *b, int64_t time_ns)
{
	int64_t slot = time_ns / (b->running.config.interval_ms * NS_PER_MS);
	unsigned i;

	if (slot <= b->slot || b->is_whole)
		return;
	b->slot = slot;
	for (i = 0; i < b->running.config.lanes; i++)
		cut_changed(b, &b->lanes[i]);
}

static void
note_changed(struct running_batches *b, struct running_series *s)
{
	struct running_lane *lane = &b->lanes[s->key.target->lane];

	if (s->is_changed)
		return;
	s->is_changed = true;
	lane->changed = xgrow(lane->changed, lane->n, &lane->cap,
	    sizeof(struct running_series *));
	lane->changed[lane->n++] = s;
}

/* The line is in the batch of a lane; full is that. */
static void
note_line(struct running_batches *b, unsigned lane, struct span line,
    uint64_t points, uint64_t requests)
{
	struct open_batch *o = &b->lanes[lane].open;

	if (b->journal != NULL) {
		open_batch_line(o, line, points, requests);
	} else {
		o->batch->id.points += points;
		o->batch->id.requests += requests;
	}
	if (b->lanes[lane].n >= CHANGED_MAX && !b->is_whole)
		cut_changed(b, &b->lanes[lane]);
}

static void
take_point(void *ctx, const struct point *p)
{
	struct running_batches *b = ctx;
	struct running_series *s;

	note_time(b, p->time_ns);
	s = running_series(&b->running, p->metric, p->tags);
	(void)open_lane(b, s->key.target->lane);
	running_add(&b->running, s, p->value, p->time_ns);
	note_changed(b, s);
	note_line(b, s->key.target->lane, p->line, 1,
	    (uint64_t)point_requests(p->metric->name, p->value));
}

/* sample_place */
static struct sink *
sink_at(void *ctx, const struct sample_series *at)
{
	struct spread *spread = ctx;
	struct running *r = &spread->b->running;
	int i = spread->n < SINKS_MAX ? spread->n++ : SINKS_MAX - 1;

	note_time(spread->b, at->time_ns);
	spread->time_ns = at->time_ns;
	spread->series[i] = running_series(r, metrics_get(r->metrics,
	    at->metric), at->tags);
	spread->sinks[i].type = spread->series[i]->key.metric->type;
	return &spread->sinks[i];
}

static void
take_sample(void *ctx, const struct sample *sample, struct span line)
{
	struct running_batches *b = ctx;
	struct spread spread = { .b = b };
	unsigned lane;
	int i;

	sample_sink(sample, sink_at, &spread);
	if (spread.n == 0)
		return;
	lane = spread.series[0]->key.target->lane;
	(void)open_lane(b, lane);
	for (i = 0; i < spread.n; i++) {
		running_merge(&b->running, spread.series[i], &spread.sinks[i],
		    spread.time_ns);
		note_changed(b, spread.series[i]);
		sink_release(&spread.sinks[i]);
	}
	note_line(b, lane, line, sample_points(sample),
	    sample_requests(sample));
}

/* The types of metrics are in all pieces. */
static void
take_metric(void *ctx, struct span line)
{
	struct running_batches *b = ctx;
	unsigned i;

	for (i = 0; i < b->running.config.lanes && b->journal != NULL; i++)
		if (b->lanes[i].open.batch != NULL)
			open_batch_line(&b->lanes[i].open, line, 0, 0);
}

static void
forget_tags(void *ctx)
{
	struct running_batches *b = ctx;

	running_forget_tags(&b->running);
}

void
running_batches_init(struct running_batches *b,
    const struct running_config *c, struct metrics *metrics)
{
	*b = (struct running_batches){ .slot = INT64_MIN, .taker = { b,
	    take_point, take_sample, take_metric, forget_tags } };
	running_init(&b->running, c, metrics);
}

void
running_batches_release(struct running_batches *b)
{
	unsigned i;

	for (i = 0; i < WIRE_LANES; i++) {
		batch_free(b->lanes[i].open.batch);
		buf_release(&b->lanes[i].open.lines);
		free(b->lanes[i].changed);
	}
	running_release(&b->running);
}

/* cutter.keep */
static int
keep(void *ctx, struct why *why)
{
	struct running_batches *b = ctx;
	unsigned i;

	for (i = 0; i < b->running.config.lanes; i++)
		if (b->lanes[i].open.batch != NULL && open_batch_keep(
		    &b->lanes[i].open, b->journal, why) < 0)
			return -1;
	return 0;
}

/* The last sample of every series, also of those that did not change. */
static void
cut_end(struct running_batches *b)
{
	struct running *r = &b->running;
	struct running_series **list = xmalloc((r->n + 1) *
	    sizeof(struct running_series *));
	unsigned lane;
	size_t i, n;

	for (lane = 0; lane < r->config.lanes; lane++) {
		/* With what is new in one batch, if that takes them all. */
		if (r->n > CHANGED_MAX && !b->is_whole)
			cut_changed(b, &b->lanes[lane]);
		for (i = n = 0; i < r->n; i++) {
			if (r->all[i]->key.target->lane == lane)
				list[n++] = r->all[i];
			if ((n < CHANGED_MAX || b->is_whole) &&
			    (n == 0 || i + 1 < r->n))
				continue;
			(void)open_lane(b, lane);
			cut_lane(b, &b->lanes[lane], list, n, RUNNING_LAST);
			n = 0;
		}
	}
	free(list);
}

/* cutter.take: what waits so long that the stream's time may stand still; at
 * the end all. */
static void
take(void *ctx, bool is_all)
{
	struct running_batches *b = ctx;
	int64_t interval = b->running.config.interval_ms * NS_PER_MS;
	int64_t now = now_monotonic_ns();
	unsigned i;

	if (is_all) {
		cut_end(b);
		return;
	}
	for (i = 0; i < b->running.config.lanes; i++)
		if (now - b->lanes[i].begun_ns > interval + interval / 2)
			cut_changed(b, &b->lanes[i]);
}

/* cutter.drop */
static void
drop(void *ctx, struct amount *lost)
{
	struct running_batches *b = ctx;
	struct running_lane *lane;
	struct open_batch *o;
	unsigned i;

	for (i = 0; i < b->running.config.lanes; i++) {
		lane = &b->lanes[i];
		while (lane->n > 0)
			lane->changed[--lane->n]->is_changed = false;
		o = &b->lanes[i].open;
		if (o->batch == NULL)
			continue;
		lost->points += o->batch->id.points;
		lost->requests += o->batch->id.requests;
		batch_free(o->batch);
		buf_release(&o->lines);
		*o = (struct open_batch){ 0 };
	}
}

struct cutter
running_batches_cutter(struct running_batches *b)
{
	return (struct cutter){ b, keep, take, drop };
}
