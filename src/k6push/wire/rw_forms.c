/* SPDX-License-Identifier: MIT */
/*
 * Native histograms in the forms of receivers that have none: VictoriaMetrics'
 * ranges, of 13.6 % each, or the buckets `le` that every Prometheus knows.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/native.h"
#include "data/remote.h"
#include "k6push/wire/wire_rw.h"

enum { PER_DECADE = 18, RANGE_LEAST = -9 * PER_DECADE,
	RANGE_MOST = 18 * PER_DECADE, BUCKETS_MAX = RANGE_MOST - RANGE_LEAST +
	    2, SAMPLES_MAX = 4 };

/* A series with histograms, taken apart. */
struct rw_series {
	struct span name;
	struct remote_labels labels;
	struct native_sample samples[SAMPLES_MAX];
	int n;
};

/* Counts of buckets at each sample. */
struct rw_buckets {
	double upper[BUCKETS_MAX];
	double count[BUCKETS_MAX][SAMPLES_MAX];
	int n;
};

static const double seconds[] = { 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
	2.5, 5, 10, INFINITY };
static const double others[] = { 1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3,
	5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 1e7, 1e8, 1e9, INFINITY };

static void
release(struct rw_series *s)
{
	while (s->n > 0)
		native_release(&s->samples[--s->n].hist);
}

/* Read the histograms of a series. False: it has none. */
static bool
take_series(struct rw_series *s, struct span series, struct buf *text,
    struct pb *r)
{
	struct pb in = pb_of(series);
	struct pb_field f;
	struct why why;

	s->n = 0;
	while (pb_next(&in, &f)) {
		if (f.number != REMOTE_HISTOGRAM || s->n == SAMPLES_MAX)
			continue;
		if (native_parse(&s->samples[s->n], pb_bytes(&in, &f),
		    &why) < 0)
			return pb_fail(r, "a histogram is damaged");
		s->n++;
	}
	if (in.error != NULL)
		return pb_fail(r, in.error);
	buf_reset(text);
	if (remote_read_labels(series, &s->name, &s->labels, text, &why) < 0)
		return pb_fail(r, "a label is damaged");
	return s->n > 0;
}

/* One float series: a value at each sample of s. */
static void
put_floats(struct pb_out *out, const struct rw_series *s, const char *suffix,
    const struct remote_label *extra, const double *values)
{
	char *name = xasprintf("%.*s%s", (int)s->name.n, s->name.p, suffix);
	size_t since = out->n;
	int i;

	for (i = s->n; i-- > 0;)
		remote_put_sample(remote_is_stale(s->samples[i].sum)
		    ? remote_stale() : values[i], s->samples[i].time_ms,
		    s->samples[i].start_ms, out);
	remote_put_labels(&s->labels, span_of(name), extra, out);
	pb_put_message(out, REMOTE_SERIES, since);
	free(name);
}

typedef int bucket_of(const struct rw_buckets *b, double value);

/* The number of VictoriaMetrics' range with a value: 0 is 0 to 1e-9. */
static int
range_of(const struct rw_buckets *b, double value)
{
	double at = value > 0 ? ceil(log10(value) * PER_DECADE) : RANGE_LEAST;

	(void)b;
	return at <= RANGE_LEAST ? 0 : at > RANGE_MOST
	    ? RANGE_MOST - RANGE_LEAST + 1 : (int)at - RANGE_LEAST;
}

static int
le_of(const struct rw_buckets *b, double value)
{
	int i = 0;

	while (i < b->n - 1 && value > b->upper[i])
		i++;
	return i;
}

/* Count all values of a sample, each at the middle of its bucket. */
static void
count_sample(struct rw_buckets *b, const struct native_sample *s, int at,
    bucket_of *find)
{
	const struct native_side *p = &s->hist.positive;
	double lower, upper;
	uint32_t i;

	for (i = 0; i < p->n; i++) {
		lower = native_upper(s->schema, p->v[i].index - 1);
		upper = native_upper(s->schema, p->v[i].index);
		b->count[find(b, sqrt(lower) * sqrt(upper))][at] +=
		    (double)p->v[i].count;
	}
	b->count[find(b, 0)][at] += (double)s->hist.zero;
	for (i = 0; i < s->hist.negative.n; i++)
		b->count[find(b, 0)][at] +=
		    (double)s->hist.negative.v[i].count;
}

static double
range_bound(int range)
{
	return pow(10, (double)(range + RANGE_LEAST) / PER_DECADE);
}

static void
put_ranges(struct pb_out *out, const struct rw_series *s,
    const struct rw_buckets *b)
{
	struct remote_label extra = { .name = SPAN("vmrange") };
	char text[48];
	int i;

	for (i = BUCKETS_MAX; i-- > 0;) {
		if (b->count[i][s->n - 1] == 0)
			continue;
		if (i == 0)
			(void)snprintf(text, sizeof(text), "0...1.000e-09");
		else if (i == BUCKETS_MAX - 1)
			(void)snprintf(text, sizeof(text), "1.000e+18...+Inf");
		else
			(void)snprintf(text, sizeof(text), "%.3e...%.3e",
			    range_bound(i - 1), range_bound(i));
		extra.value = span_of(text);
		put_floats(out, s, "_bucket", &extra, b->count[i]);
	}
}

/* Buckets of which each holds those before it. */
static void
put_les(struct pb_out *out, const struct rw_series *s, struct rw_buckets *b)
{
	struct remote_label extra = { .name = SPAN("le") };
	char text[32];
	int i, k;

	for (i = 1; i < b->n; i++)
		for (k = 0; k < s->n; k++)
			b->count[i][k] += b->count[i - 1][k];
	for (i = b->n; i-- > 0;) {
		(void)snprintf(text, sizeof(text), isinf(b->upper[i]) ? "+Inf"
		    : "%.15g", b->upper[i]);
		extra.value = span_of(text);
		put_floats(out, s, "_bucket", &extra, b->count[i]);
	}
}

static void
set_les(struct rw_buckets *b, struct span name)
{
	bool is_time = name.n > 8 && memcmp(name.p + name.n - 8, "_seconds",
	    8) == 0;

	b->n = is_time ? (int)(sizeof(seconds) / sizeof(seconds[0]))
	    : (int)(sizeof(others) / sizeof(others[0]));
	memcpy(b->upper, is_time ? seconds : others, (size_t)b->n *
	    sizeof(b->upper[0]));
}

/* A series with histograms as buckets, sum and count. */
static void
put_histograms(struct pb_out *out, const struct rw_series *s,
    enum rw_form form)
{
	struct rw_buckets *b = xcalloc(1, sizeof(*b));
	const struct remote_label none = { SPAN(""), SPAN("") };
	double sums[SAMPLES_MAX], counts[SAMPLES_MAX];
	int i;

	if (form == RW_CLASSIC)
		set_les(b, s->name);
	for (i = 0; i < s->n; i++) {
		sums[i] = s->samples[i].sum;
		counts[i] = (double)s->samples[i].hist.count;
		count_sample(b, &s->samples[i], i, form == RW_CLASSIC ? le_of
		    : range_of);
	}
	put_floats(out, s, "_count", &none, counts);
	put_floats(out, s, "_sum", &none, sums);
	if (form == RW_CLASSIC)
		put_les(out, s, b);
	else
		put_ranges(out, s, b);
	free(b);
}

/* All series of a message; owned by the caller. */
static struct span *
find_series(struct pb *r, size_t *n)
{
	struct span *all = NULL;
	struct pb_field f;
	size_t cap = 0;

	*n = 0;
	while (pb_next(r, &f)) {
		if (f.number != REMOTE_SERIES)
			continue;
		all = xgrow(all, *n, &cap, sizeof(*all));
		all[(*n)++] = pb_bytes(r, &f);
	}
	return all;
}

int
rw_rewrite(struct span message, enum rw_form form, struct pb_out *out,
    struct why *why)
{
	struct pb r = pb_of(message);
	struct rw_series s = { 0 };
	struct buf text = { 0 };
	struct span *all;
	size_t n, i;

	all = find_series(&r, &n);
	for (i = n; i-- > 0 && r.error == NULL;) {
		if (!take_series(&s, all[i], &text, &r))
			pb_put_bytes(out, REMOTE_SERIES, all[i]);
		else if (form != RW_STATS)
			put_histograms(out, &s, form);
		release(&s);
	}
	buf_release(&text);
	free(all);
	return r.error == NULL ? 0 : why_set(why, "%s", r.error);
}
