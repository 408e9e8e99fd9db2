/* SPDX-License-Identifier: MIT */
/*
 * Puts a sink into its columns, and reads it from there. There are very many
 * points, so what follows from other columns is not written. Rows of versions
 * that wrote it are read as well.
 */
#include "base/units.h"
#include "k6serve/store/store_priv.h"

/* The columns of STORE_SINK_COLUMNS, from the first one on. */
enum { COUNT, NONZERO, SUM, MIN, MAX, LAST, LAST_NS, HIST, EXACT };

/* True if the sum's double does not tell it exactly, but an integer does. */
static bool
needs_exact(const struct total *sum)
{
	struct total told = total_of(total_value(sum));

	return sum->rest == 0 && told.millionths != sum->millionths &&
	    sum->millionths >= INT64_MIN && sum->millionths <= INT64_MAX;
}

/* A last_ns that is less than an hour into its second or step is kept as what
 * it is into it, which takes half the bytes. In the first hours of 1970 that
 * would be a time itself. */
enum { HOUR_S = 3600 };

static bool
has_short_times(int64_t second)
{
	return second >= 2 * HOUR_S && second < INT64_MAX / NS_PER_S - HOUR_S;
}

static bool
is_short(int64_t ns)
{
	return ns >= 0 && ns < HOUR_S * NS_PER_S;
}

static int64_t
shorten(int64_t second, int64_t last_ns)
{
	return has_short_times(second) && last_ns >= 0 &&
	    is_short(last_ns - second * NS_PER_S) ?
	    last_ns - second * NS_PER_S : last_ns;
}

static int64_t
lengthen(int64_t second, int64_t kept)
{
	return has_short_times(second) && is_short(kept) ?
	    second * NS_PER_S + kept : kept;
}

/* Are all values in the bucket of the least one? Then the histogram is kept as
 * no bytes, which no encoded one is. */
static bool
is_told_by_min(const struct sink *s)
{
	const struct hist *h = &s->hist;

	return h->n == 1 && h->low == 0 && h->high == 0 && h->fine == NULL &&
	    h->negative == NULL && h->buckets[0].count == s->count &&
	    h->buckets[0].index == hist_index(s->min);
}

static struct engine_value
real_value(double value)
{
	return (struct engine_value){ .type = ENGINE_REAL, .real = value };
}

void
store_sink_values(const struct sink *sink, int64_t second,
    struct engine_value v[STORE_SINK_VALUES], struct buf *blob)
{
	bool is_exact = needs_exact(&sink->sum), is_trend = sink->type ==
	    METRIC_TREND;

	v[COUNT] = store_int_value((int64_t)sink->count);
	v[NONZERO] = store_int_value((int64_t)sink->nonzero);
	v[SUM] = real_value(sink_sum(sink));
	v[MIN] = real_value(sink->min);
	v[MAX] = real_value(sink->max);
	v[LAST] = real_value(sink->last);
	v[LAST_NS] = store_int_value(shorten(second, sink->last_ns));
	v[HIST] = (struct engine_value){ .type = ENGINE_BLOB,
	    .is_null = !is_trend, .number = (int64_t)blob->n };
	if (is_trend && !is_told_by_min(sink))
		hist_encode(&sink->hist, blob);
	v[HIST].bytes.n = blob->n - (size_t)v[HIST].number;
	v[EXACT] = store_int_value(is_exact ? (int64_t)sink->sum.millionths :
	    0);
	v[EXACT].is_null = !is_exact;
}

void
store_sink_values_end(struct engine_value v[STORE_SINK_VALUES],
    const struct buf *blob)
{
	v[HIST].bytes.p = buf_whole(blob).p + v[HIST].number;
}

void
store_bind_sink(struct store_stmt *p, int64_t second, const struct sink *sink)
{
	struct engine_value v[STORE_SINK_VALUES];
	struct buf *blob = &p->s->blob;
	int i;

	buf_reset(blob);
	store_sink_values(sink, second, v, blob);
	store_sink_values_end(v, blob);
	for (i = 0; i < STORE_SINK_VALUES; i++)
		store_bind_value(p, &v[i]);
}

void
store_get_numbers(struct store_stmt *p, int first, int64_t second,
    struct sink *sink)
{
	sink->count = (uint64_t)store_get_int(p, first + COUNT);
	sink->nonzero = (uint64_t)store_get_int(p, first + NONZERO);
	sink->sum = store_is_null(p, first + EXACT)
	    ? total_of(store_get_real(p, first + SUM))
	    : total_of_millionths(store_get_int(p, first + EXACT));
	sink->min = store_get_real(p, first + MIN);
	sink->max = store_get_real(p, first + MAX);
	sink->last = store_get_real(p, first + LAST);
	sink->last_ns = lengthen(second, store_get_int(p, first + LAST_NS));
}

int
store_get_sink(struct store_stmt *p, int first, int64_t second,
    struct sink *sink, struct why *why)
{
	struct span blob = store_get_blob(p, first + HIST);

	store_get_numbers(p, first, second, sink);
	if (blob.n != 0 && hist_decode(&sink->hist, blob.p, blob.n) < 0)
		return why_set(why, "a bad histogram in the database");
	if (blob.n == 0 && sink->type == METRIC_TREND &&
	    !store_is_null(p, first + HIST))
		hist_add(&sink->hist, sink->min, sink->count);
	return 0;
}
