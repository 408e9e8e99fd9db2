/* SPDX-License-Identifier: MIT */
/*
 * A batch from its pieces: of protocol 1 they are samples as they are sent, of
 * protocol 2 lines of the stream.
 */
#include "k6push/read/recover.h"

#include "base/units.h"
#include "k6push/read/collect.h"
#include "k6push/wire/wire.h"

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

/* The last line may be cut; what damage left is taken. */
static int
recover_v2(struct batch *p, struct span pieces, struct buf *plain,
    struct why *why)
{
	struct collector c = { 0 };
	struct series_collect g = { .metrics = &c.stream.metrics,
	    .max_series = SIZE_MAX, .series.period_ns =
	    (p->id.flags != 0 ? p->id.flags : 3) * NS_PER_S };
	const char *at = pieces.p, *end = at + pieces.n, *newline;

	c.series = &g;
	p->id.samples = 0;
	while (at < end && (newline = memchr(at, '\n', (size_t)(end - at))) !=
	    NULL) {
		(void)collector_line(&c, (struct span){ at,
		    (size_t)(newline - at) }, why);
		at = newline + 1;
	}
	p->id.points = c.points;
	p->id.requests = c.requests;
	p->id.samples = g.series.n_entries;
	series_collect_take(&g, true, encode_batch, plain);
	p->id.plain_bytes = plain->n;
	series_collect_release(&g);
	collector_release(&c);
	return 0;
}

int
recover_batch(struct batch *p, struct span pieces, struct buf *plain,
    struct why *why)
{
	if (p->id.format == wire_v1.format)
		return recover_v1(p, pieces, plain, why);
	if (p->id.format == wire_v2.format)
		return recover_v2(p, pieces, plain, why);
	return why_set(why, "of a later version");
}
