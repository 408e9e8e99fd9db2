/* SPDX-License-Identifier: MIT */
/* Native histograms: counting, percentiles, and the message of the wire. */
#include "data/native.h"

#include <math.h>
#include <stdlib.h>

enum { CELLS = 1024 };	/* of fractions, to find a bound */

/* What counts as zero, as with k6 and Prometheus' own client. */
#define ZERO_THRESHOLD 0x1p-128

enum {	/* fields of Histogram and BucketSpan */
	COUNT = 1, SUM = 3, SCHEMA, THRESHOLD, ZERO = 6, NEGATIVE_SPANS = 8,
	NEGATIVE_DELTAS, POSITIVE_SPANS = 11, POSITIVE_DELTAS, TIME = 15,
	START = 17,
	SPAN_OFFSET = 1, SPAN_LENGTH,
};

enum { GAP_FILLED = 2 };	/* a longer gap begins a new span */

void
native_scale_init(struct native_scale *scale, int schema)
{
	int i, n = 1 << schema, at = 0;

	scale->schema = schema;
	for (i = 0; i <= n; i++)
		scale->bounds[i] = i == n ? 1 : exp2((double)i / n - 1);
	for (i = 0; i <= CELLS; i++) {
		while (at < n && scale->bounds[at] < 0.5 + 0.5 * i / CELLS)
			at++;
		scale->first[i] = (uint16_t)at;
	}
}

void
native_release(struct native *h)
{
	free(h->positive.v);
	free(h->negative.v);
	*h = (struct native){ 0 };
}

static int32_t
index_of(const struct native_scale *scale, double value)
{
	int n = 1 << scale->schema, exponent, at;
	double fraction = frexp(value, &exponent);

	at = scale->first[(int)((fraction - 0.5) * 2 * CELLS)];
	while (at < n && scale->bounds[at] < fraction)
		at++;
	return at + (exponent - 1) * n;
}

double
native_upper(int schema, int32_t index)
{
	int n = 1 << schema, octave = index >> schema;

	return ldexp(exp2((double)(index - octave * n) / n), octave);
}

static void
side_add(struct native_side *side, int32_t index, uint64_t times)
{
	uint32_t lo = 0, hi = side->n, mid;
	size_t cap = side->cap;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (side->v[mid].index < index)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < side->n && side->v[lo].index == index) {
		side->v[lo].count += times;
		return;
	}
	if (side->n == side->cap) {
		cap = cap < 4 ? 4 : cap + cap / 2;
		side->v = xrealloc(side->v, cap * sizeof(*side->v));
		side->cap = (uint32_t)cap;
	}
	memmove(side->v + lo + 1, side->v + lo,
	    (side->n - lo) * sizeof(*side->v));
	side->v[lo] = (struct native_bucket){ index, times };
	side->n++;
}

void
native_add(struct native *h, const struct native_scale *scale, double value,
    uint64_t times)
{
	double size = fabs(value);

	if (times == 0 || isnan(value))
		return;
	h->count += times;
	if (size <= ZERO_THRESHOLD) {
		h->zero += times;
		return;
	}
	if (isinf(value))
		size = 0x1.fffffffffffffp1023;
	side_add(value < 0 ? &h->negative : &h->positive,
	    index_of(scale, size), times);
}

/* The same of values without their sign. */
static void
add_buckets(struct native *h, const struct native_scale *scale,
    const struct hist *from, double factor)
{
	const struct hist_bucket *b;
	size_t i;

	for (i = 0; i < from->n; i++) {
		b = &from->buckets[i];
		native_add(h, scale, b->index == 0 ? 0 :
		    (hist_lower(b->index) + hist_upper(b->index)) / 2 * factor,
		    b->count);
	}
}

void
native_add_hist(struct native *h, const struct native_scale *scale,
    const struct hist *from, double factor)
{
	uint64_t low = from->low;

	add_buckets(h, scale, from, factor);
	native_add(h, scale, 0x1p63 * 0.001 * factor, from->high);
	if (from->negative != NULL) {
		add_buckets(h, scale, from->negative, -factor);
		low -= hist_count(from->negative);
	}
	native_add(h, scale, -0.001 * factor, low);
}

/* The bucket with the value of this rank, counted from its begin. */
static const struct native_bucket *
bucket_at(const struct native_side *side, bool is_upward, double *rank)
{
	const struct native_bucket *b = NULL;
	uint32_t i;

	for (i = 0; i < side->n; i++) {
		b = &side->v[is_upward ? i : side->n - 1 - i];
		if (*rank < (double)b->count)
			return b;
		*rank -= (double)b->count;
	}
	return NULL;
}

double
native_quantile(const struct native *h, int schema, double p, double min,
    double max)
{
	double rank = p * (double)(h->count - 1), lower, upper, value = max;
	const struct native_bucket *b;
	bool is_negative;

	if (h->count == 0)
		return 0;
	b = bucket_at(&h->negative, false, &rank);
	is_negative = b != NULL;
	if (b == NULL && rank < (double)h->zero)
		return 0 < min ? min : 0 > max ? max : 0;
	if (b == NULL) {
		rank -= (double)h->zero;
		b = bucket_at(&h->positive, true, &rank);
	}
	if (b != NULL) {
		lower = native_upper(schema, b->index - 1);
		upper = native_upper(schema, b->index);
		value = (rank + 0.5) / (double)b->count;
		value = is_negative ? -(upper + (lower - upper) * value)
		    : lower + (upper - lower) * value;
	}
	return value < min ? min : value > max ? max : value;
}

static uint64_t
zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static int64_t
unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static void
put_span(struct pb_out *out, uint32_t field, int64_t offset, uint64_t length)
{
	size_t since = out->n;

	pb_put_varint(out, SPAN_LENGTH, length);
	pb_put_varint(out, SPAN_OFFSET, zigzag(offset));
	pb_put_message(out, field, since);
}

/* How many empty buckets stand before the i-th. */
static int64_t
gap_before(const struct native_side *side, uint32_t i)
{
	return i == 0 ? 0
	    : (int64_t)side->v[i].index - side->v[i - 1].index - 1;
}

static void
put_deltas(struct pb_out *out, uint32_t field, const struct native_side *side)
{
	size_t since = out->n;
	uint64_t before;
	uint32_t i;
	int64_t gap;

	for (i = side->n; i-- > 0;) {
		gap = gap_before(side, i);
		before = i > 0 ? side->v[i - 1].count : 0;
		if (gap > 0 && gap <= GAP_FILLED) {
			pb_put_packed(out, zigzag((int64_t)side->v[i].count));
			if (gap == GAP_FILLED)
				pb_put_packed(out, 0);
			pb_put_packed(out, zigzag(-(int64_t)before));
		} else {
			pb_put_packed(out, zigzag((int64_t)(side->v[i].count -
			    before)));
		}
	}
	if (side->n > 0)
		pb_put_message(out, field, since);
}

static void
put_spans(struct pb_out *out, uint32_t field, const struct native_side *side)
{
	uint64_t length = 0;
	int64_t gap;
	uint32_t i;

	for (i = side->n; i-- > 0;) {
		gap = gap_before(side, i);
		length++;
		if (i == 0) {
			put_span(out, field, side->v[0].index, length);
		} else if (gap > GAP_FILLED) {
			put_span(out, field, gap, length);
			length = 0;
		} else {
			length += (uint64_t)gap;
		}
	}
}

void
native_encode(const struct native *h, int schema, double sum,
    int64_t time_ms, int64_t start_ms, struct pb_out *out)
{
	if (start_ms != 0)
		pb_put_varint(out, START, (uint64_t)start_ms);
	pb_put_varint(out, TIME, (uint64_t)time_ms);
	put_deltas(out, POSITIVE_DELTAS, &h->positive);
	put_spans(out, POSITIVE_SPANS, &h->positive);
	put_deltas(out, NEGATIVE_DELTAS, &h->negative);
	put_spans(out, NEGATIVE_SPANS, &h->negative);
	pb_put_varint(out, ZERO, h->zero);
	pb_put_double(out, THRESHOLD, ZERO_THRESHOLD);
	pb_put_varint(out, SCHEMA, zigzag(schema));
	pb_put_double(out, SUM, sum);
	pb_put_varint(out, COUNT, h->count);
}

/* Spans and deltas of one sign, as they are read. */
struct layout {
	struct native_side *side;
	int64_t *offsets;	/* owned */
	uint64_t *lengths;	/* owned */
	size_t n, cap, cap_lengths;
	struct span deltas;
};

static void
take_span(struct layout *l, struct pb *r, const struct pb_field *f)
{
	struct pb span = pb_of(pb_bytes(r, f));
	struct pb_field in;
	uint64_t length = 0;
	int64_t offset = 0;

	while (pb_next(&span, &in))
		if (in.number == SPAN_OFFSET)
			offset = unzigzag(pb_varint(&span, &in));
		else if (in.number == SPAN_LENGTH)
			length = pb_uint32(&span, &in);
	if (span.error != NULL)
		(void)pb_fail(r, span.error);
	if (offset > INT32_MAX || offset < INT32_MIN)
		(void)pb_fail(r, "a span is out of range");
	l->offsets = xgrow(l->offsets, l->n, &l->cap, sizeof(*l->offsets));
	l->lengths = xgrow(l->lengths, l->n, &l->cap_lengths,
	    sizeof(*l->lengths));
	l->offsets[l->n] = offset;
	l->lengths[l->n++] = length;
}

/* Put the counts where the spans say. */
static void
lay_out(struct layout *l, struct pb *r)
{
	struct pb deltas = pb_of(l->deltas);
	int64_t at = 0, count = 0;
	uint64_t v, k;
	size_t i;

	for (i = 0; i < l->n; i++) {
		at += l->offsets[i];
		for (k = 0; k < l->lengths[i]; k++, at++) {
			if (!pb_next_packed(&deltas, &v)) {
				(void)pb_fail(r, "spans without counts");
				return;
			}
			count = (int64_t)((uint64_t)count +
			    (uint64_t)unzigzag(v));
			if (count < 0 || at > INT32_MAX || at < INT32_MIN) {
				(void)pb_fail(r, "a bucket is out of range");
				return;
			}
			if (count > 0)
				side_add(l->side, (int32_t)at,
				    (uint64_t)count);
		}
	}
	if (deltas.p != deltas.end)
		(void)pb_fail(r, "counts without spans");
}

static void
take_field(struct native_sample *s, struct layout layout[2], struct pb *r,
    const struct pb_field *f)
{
	switch (f->number) {
	case COUNT:
		s->hist.count = pb_varint(r, f);
		break;
	case SUM:
		s->sum = pb_double(r, f);
		break;
	case SCHEMA:
		s->schema = (int)unzigzag(pb_varint(r, f));
		break;
	case ZERO:
		s->hist.zero = pb_varint(r, f);
		break;
	case NEGATIVE_SPANS:
	case POSITIVE_SPANS:
		take_span(&layout[f->number == POSITIVE_SPANS], r, f);
		break;
	case NEGATIVE_DELTAS:
	case POSITIVE_DELTAS:
		layout[f->number == POSITIVE_DELTAS].deltas = pb_bytes(r, f);
		break;
	case TIME:
		s->time_ms = (int64_t)pb_varint(r, f);
		break;
	case START:
		s->start_ms = (int64_t)pb_varint(r, f);
		break;
	default:
		break;
	}
}

int
native_parse(struct native_sample *s, struct span message, struct why *why)
{
	struct layout layout[2] = { { .side = &s->hist.negative,
	    .deltas = SPAN("") }, { .side = &s->hist.positive,
	    .deltas = SPAN("") } };
	struct pb r = pb_of(message);
	struct pb_field f;
	int i;

	*s = (struct native_sample){ 0 };
	while (pb_next(&r, &f))
		take_field(s, layout, &r, &f);
	if (s->schema < NATIVE_LEAST || s->schema > NATIVE_MOST)
		(void)pb_fail(&r, "a schema that is not ours");
	for (i = 0; i < 2; i++) {
		if (r.error == NULL)
			lay_out(&layout[i], &r);
		free(layout[i].offsets);
		free(layout[i].lengths);
	}
	if (r.error == NULL)
		return 0;
	native_release(&s->hist);
	return why_set(why, "%s", r.error);
}
