/* SPDX-License-Identifier: MIT */
/*
 * Protocol 2 (PROTOCOL 5): a MetricSet in a snappy block. It is kept without
 * the run's id, which may not be known yet.
 */
#include <stdlib.h>

#include "base/varint.h"
#include "data/metricset.h"
#include "data/pb.h"
#include "data/sample.h"
#include "io/snap.h"
#include "k6push/wire/wire.h"

/* Past what any batch of ours unpacks to. */
#define PLAIN_MAX ((size_t)1 << 30)

enum { SET_METRICS = 3, METRIC_SERIES = 3 };	/* fields (PROTOCOL 5.2) */

static int
pack(struct span plain, struct buf *kept, struct why *why)
{
	(void)why;
	snap_pack(plain, kept);
	return 0;
}

static void
put_varint(struct buf *out, uint64_t v)
{
	unsigned char bytes[VARINT_BYTES];

	buf_add(out, bytes, varint_put(bytes, v));
}

/* A block that unpacks to `head` and then to what `block` does: its copies
 * count from where they stand, so only its length changes. */
static int
prepend(struct span head, struct span block, struct buf *out,
    struct why *why)
{
	const unsigned char *p = (const unsigned char *)block.p;
	const unsigned char *end = p + block.n;
	uint64_t n;

	if (!varint_take(&p, end, &n))
		return why_set(why, "not a snappy block");
	put_varint(out, n + head.n);
	if (head.n > 60) {	/* the length stands behind the tag */
		buf_char(out, (char)(61 << 2));
		buf_char(out, (char)((head.n - 1) & 0xff));
		buf_char(out, (char)((head.n - 1) >> 8));
	} else {
		buf_char(out, (char)((head.n - 1) << 2));
	}
	buf_span(out, head);
	buf_add(out, p, (size_t)(end - p));
	return 0;
}

static int
dress(const struct batch *p, struct span kept, const struct settings *s,
    struct wire_message *m, struct why *why)
{
	struct metricset name = { .run = span_of(m->run) };
	struct pb_out head = { 0 };
	int status = 0;

	(void)p;
	(void)s;
	m->body = kept;
	if (name.run.n > 0) {
		metricset_encode(&name, &head);
		status = prepend(pb_whole(&head), kept, &m->own, why);
		m->body = buf_whole(&m->own);
		pb_release(&head);
	}
	wire_header(m, "Content-Type: application/x-protobuf");
	wire_header(m, "Content-Encoding: snappy");
	wire_header(m, "K6-Metrics-Protocol-Version: 2.0");
	return status;
}

/* A series where it stands, and the fields of its metric in front of it. */
struct place {
	struct span metric, series;
};

/* All series of a message. Owned by the caller. */
static struct place *
find_series(struct span message, size_t *n, struct why *why)
{
	struct pb set = pb_of(message), metric;
	struct pb_field f, in;
	struct place *places = NULL;
	size_t cap = 0;

	*n = 0;
	while (pb_next(&set, &f)) {
		if (f.number != SET_METRICS)
			continue;
		metric = pb_of(pb_bytes(&set, &f));
		while (pb_next(&metric, &in)) {
			if (in.number != METRIC_SERIES)
				continue;
			places = xgrow(places, *n, &cap, sizeof(*places));
			places[(*n)++] = (struct place){ f.bytes,
			    pb_bytes(&metric, &in) };
		}
		if (metric.error != NULL)
			(void)pb_fail(&set, metric.error);
	}
	if (set.error == NULL)
		return places;
	(void)why_set(why, "%s", set.error);
	free(places);
	return NULL;
}

/* Fields of a metric but its series, which are written already. */
static void
put_metric(struct pb_out *out, struct span metric, size_t since)
{
	struct pb r = pb_of(metric);
	struct pb_field f;

	while (pb_next(&r, &f))
		if (f.wire == PB_VARINT)
			pb_put_varint(out, f.number, f.value);
		else if (f.number != METRIC_SERIES)
			pb_put_bytes(out, f.number, f.bytes);
	pb_put_message(out, SET_METRICS, since);
}

/* The message of some series, as a batch's body. */
static void
put_places(const struct place *places, size_t n, uint32_t period_s,
    struct batch *p)
{
	struct metricset head = { .run = SPAN(""), .period_s = period_s };
	struct pb_out out = { 0 };
	size_t i, since = 0;

	for (i = n; i > 0; i--) {
		pb_put_bytes(&out, METRIC_SERIES, places[i - 1].series);
		if (i > 1 && places[i - 2].metric.p == places[i - 1].metric.p)
			continue;
		put_metric(&out, places[i - 1].metric, since);
		since = out.n;
	}
	metricset_encode(&head, &out);
	snap_pack(pb_whole(&out), &p->body);
	p->id.samples = n;
	p->id.plain_bytes = out.n;
	pb_release(&out);
}

static int
count_value(void *ctx, const struct sample_series *at,
    const struct sink *sink)
{
	struct journal_batch *b = ctx;

	b->points += sink->count;
	if (span_is(at->metric, "http_reqs") && sink_sum(sink) > 0 &&
	    sink_sum(sink) < 0x1p53)
		b->requests += (uint64_t)sink_sum(sink);
	return 0;
}

/* What of the whole's books is in the left part. Of counters only sums are
 * known: the right part has what is left. */
static int
share_books(const struct batch *p, struct batch *left,
    struct batch *right, struct why *why)
{
	struct metricset_head head;
	struct buf plain = { 0 };
	struct tags tags = { 0 };
	int status = snap_unpack(buf_whole(&left->body), PLAIN_MAX, &plain,
	    why);

	if (status == 0)
		status = metricset_parse(buf_whole(&plain), &tags, &head,
		    count_value, &left->id, why);
	if (left->id.points > p->id.points)
		left->id.points = p->id.points;
	if (left->id.requests > p->id.requests)
		left->id.requests = p->id.requests;
	right->id.points = p->id.points - left->id.points;
	right->id.requests = p->id.requests - left->id.requests;
	tags_release(&tags);
	buf_release(&plain);
	return status < 0 ? -1 : 0;
}

static int
split(const struct batch *p, struct span kept, struct batch *left,
    struct batch *right, struct why *why)
{
	struct place *places = NULL;
	struct buf plain = { 0 };
	int status = -1;
	size_t n;

	if (p->id.samples < 2)
		return why_set(why, "it is one series");
	if (snap_unpack(kept, PLAIN_MAX, &plain, why) == 0)
		places = find_series(buf_whole(&plain), &n, why);
	if (places != NULL && n >= 2) {
		put_places(places, n / 2, p->id.flags, left);
		put_places(places + n / 2, n - n / 2, p->id.flags, right);
		status = share_books(p, left, right, why);
	}
	free(places);
	buf_release(&plain);
	return status;
}

const struct wire wire_v2 = { 2, false, "/v2/metrics/", { "", 0 }, ".snappy",
	SET_MAX_TIME_SERIES, pack, dress, split };
