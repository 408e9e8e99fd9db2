/* SPDX-License-Identifier: MIT */
/*
 * Makes a batch from its pieces: of protocol 1 these are samples as they are
 * sent, of the others they are lines of the stream.
 */
#include "k6push/read/recover.h"

#include <stdlib.h>

#include "base/units.h"
#include "k6push/read/running_batches.h"
#include "k6push/read/series_collect.h"
#include "k6push/wire/wire_rw.h"

/* Pieces stop between two samples, but for what damage took. */
static int
recover_v1(struct batch *p, struct span pieces, struct buf *plain,
    struct why *why)
{
	buf_span(plain, pieces);
	if (plain->n > 0 && plain->p[0] == ',')
		plain->p[0] = '[';
	buf_char(plain, ']');
	if (memmem(pieces.p, pieces.n, "\"hist\"", 6) != NULL)
		p->id.flags |= WIRE_V1_HISTOGRAMS;
	return wire_v1_count(p, buf_whole(plain), why);
}

static void
encode_batch(void *ctx, struct metricset *batch)
{
	struct buf *plain = ctx;
	struct pb_out out = { 0 };

	metricset_encode(batch, &out);
	buf_span(plain, pb_whole(&out));	/* parts of one message */
	pb_release(&out);
}

/* Take the lines. The last may be cut; what damage left is taken. */
static void
take_lines(struct collector *c, struct span pieces)
{
	const char *at = pieces.p, *end = at + pieces.n, *newline;
	struct why why;

	while (at < end && (newline = memchr(at, '\n', (size_t)(end - at))) !=
	    NULL) {
		(void)collector_line(c, (struct span){ at,
		    (size_t)(newline - at) }, &why);
		at = newline + 1;
	}
}

static int
recover_v2(struct batch *p, struct span pieces, struct buf *plain)
{
	struct collector c = { 0 };
	struct series_collect g = { .metrics = &c.stream.metrics,
	    .max_series = SIZE_MAX, .series.period_ns =
	    (p->id.flags != 0 ? p->id.flags : 3) * NS_PER_S };
	struct by_series taker = series_collect_taker(&g);

	c.series = &taker;
	take_lines(&c, pieces);
	p->id.points = c.points;
	p->id.requests = c.requests;
	p->id.samples = g.series.n_entries;
	series_collect_take(&g, true, encode_batch, plain);
	p->id.plain_bytes = plain->n;
	series_collect_release(&g);
	collector_release(&c);
	return 0;
}

/* What running_batches makes of the lines: one batch, or none. */
struct made {
	struct batch *p;
	struct buf *plain;
	struct batch **begin;	/* NULL: not wanted */
};

static void
take_made(void *ctx, struct batch *p)
{
	struct made *made = ctx;

	if ((p->id.flags & RW_MARKS) != 0) {
		if (made->begin == NULL)
			batch_free(p);
		else
			*made->begin = p;
		return;
	}
	made->p->id.samples = p->id.samples;
	buf_span(made->plain, buf_whole(&p->body));
	batch_free(p);
}

static int
recover_rw(struct batch *p, struct span pieces,
    const struct recover_as *as, struct buf *plain)
{
	struct running_config config = { .schema = 6, .has_histograms = true,
	    .interval_ms = 1 };
	struct collector c = { 0 };
	struct running_batches *b = xcalloc(1, sizeof(*b));
	struct made made = { p, plain, as != NULL ? as->begin : NULL };
	struct numbers numbers = { 0 };
	char *instance;

	if (as != NULL)
		config = *as->config;
	instance = xasprintf("%s.rest-%llu", config.instance != NULL
	    ? config.instance : "", (unsigned long long)p->id.number);
	config.instance = instance;
	config.lanes = 1;
	config.is_stale_told = false;
	running_batches_init(b, &config, &c.stream.metrics);
	b->numbers = &numbers;
	b->put = take_made;
	b->put_ctx = &made;
	b->is_whole = true;
	c.series = &b->taker;
	take_lines(&c, pieces);
	p->id.points = c.points;
	p->id.requests = c.requests;
	p->id.samples = 0;
	running_batches_cutter(b).take(b, true);
	if (plain->n == 0)
		rw_put_plain(plain, NULL, 0, SPAN(""));
	p->id.plain_bytes = plain->n;
	running_batches_release(b);
	collector_release(&c);
	free(instance);
	free(b);
	return 0;
}

int
recover_batch(struct batch *p, struct span pieces,
    const struct recover_as *as, struct buf *plain, struct why *why)
{
	if (p->id.format == wire_v1.format)
		return recover_v1(p, pieces, plain, why);
	if (p->id.format == wire_v2.format)
		return recover_v2(p, pieces, plain);
	if (p->id.format == wire_rw.format)
		return recover_rw(p, pieces, as, plain);
	return why_set(why, "written by a later version");
}
