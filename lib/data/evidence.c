/* SPDX-License-Identifier: MIT */
/* Draws blocks of runs at random, and computes intervals and chances from
 * them. */
#include "data/evidence.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

enum {
	DRAWS = 400,
	LEAST_SLOTS = 10,	/* with values: fewer tell nothing */
	MANY_BLOCKS = 24,
	LEAST_BLOCKS = 8,
	LEAST_BEYOND = 5,	/* values beyond a quantile */
};

/* What equal runs differ by beyond what either of them shows: the machine, the
 * state of caches, neighbours. Known better from several runs. */
#define BETWEEN_RUNS 0.01

/* Percentiles of histograms are no more exact than that. */
#define EXACTNESS 0.002

#define CONFIDENCE 0.95

/* The values of some neighbouring slots. */
struct block {
	double sum, slots, count, nonzero;
};

/* A course cut up. Values of block i below the bucket low + b of the histogram
 * are below[i * width + b]. */
struct blocks {
	struct block *list;	/* owned */
	double *below;		/* owned; NULL: not asked for */
	size_t n, width;
	uint32_t low;
	double seconds;		/* of a slot */
};

/* A variance, and by how many degrees of freedom it is known. */
struct spread {
	double variance, freedom;
};

/* The next number of a fixed sequence (splitmix64). */
static uint64_t
next_number(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void
find_width(const struct course *c, struct blocks *b)
{
	uint32_t low = HIST_INDEXES, high = 0;
	const struct hist *h;
	size_t i;

	for (i = 0; i < c->n; i++) {
		h = &c->slots[i].hist;
		if (h->n == 0)
			continue;
		if (h->buckets[0].index < low)
			low = h->buckets[0].index;
		if (h->buckets[h->n - 1].index > high)
			high = h->buckets[h->n - 1].index;
	}
	b->low = low <= high ? low : 0;
	b->width = low <= high ? high - low + 2 : 2;
}

static void
count_hist(struct blocks *b, size_t at, const struct hist *h)
{
	double *below = b->below + at * b->width;
	size_t i;

	below[0] += (double)h->low;
	for (i = 0; i < h->n; i++)
		below[h->buckets[i].index - b->low + 1] +=
		    (double)h->buckets[i].count;
}

/* Both ends of a run are part of a slot only: for a rate they are left out. */
static struct blocks
blocks_of(const struct course *c, size_t n, enum statistic_kind kind)
{
	struct blocks b = { .list = xcalloc(n, sizeof(*b.list)), .n = n,
	    .seconds = (double)c->step_ns / 1e9 };
	bool has_ends = kind != STATISTIC_RATE;
	struct block *to;
	size_t i, k;

	if (kind == STATISTIC_QUANTILE) {
		find_width(c, &b);
		b.below = xcalloc(n * b.width, sizeof(*b.below));
	}
	for (i = 0; i < c->n; i++) {
		if (!has_ends && (i == 0 || i == c->n - 1))
			continue;
		to = &b.list[i * n / c->n];
		to->slots++;
		to->sum += sink_sum(&c->slots[i]);
		to->count += (double)c->slots[i].count;
		to->nonzero += (double)c->slots[i].nonzero;
		if (b.below != NULL)
			count_hist(&b, i * n / c->n, &c->slots[i].hist);
	}
	for (i = 0; b.below != NULL && i < n; i++)
		for (k = 1; k < b.width; k++)
			b.below[i * b.width + k] += b.below[i * b.width + k -
			    1];
	return b;
}

static void
blocks_release(struct blocks *b)
{
	free(b->list);
	free(b->below);
}

/* How many drawn values are below the bucket low + at. */
static double
below(const struct blocks *b, const double *times, size_t at)
{
	double n = 0;
	size_t i;

	for (i = 0; i < b->n; i++)
		n += times[i] * b->below[i * b->width + at];
	return n;
}

static double
quantile(const struct blocks *b, const double *times, double p)
{
	double rank = p * below(b, times, b->width - 1), before, inside;
	size_t first = 0, last = b->width - 1, middle;
	double lower, upper;

	while (last - first > 1) {
		middle = first + (last - first) / 2;
		if (below(b, times, middle) <= rank)
			first = middle;
		else
			last = middle;
	}
	before = below(b, times, first);
	inside = below(b, times, first + 1) - before;
	lower = hist_lower(b->low + (uint32_t)first);
	upper = hist_upper(b->low + (uint32_t)first);
	return inside > 0 ? lower + (upper - lower) * (rank - before) / inside :
	    lower;
}

/* The statistic over blocks, each of which was drawn so many times; a ratio as
 * its logarithm, so that changes are differences. */
static double
drawn_value(const struct blocks *b, const double *times, struct statistic s)
{
	struct block all = { 0 };
	size_t i;

	if (s.kind == STATISTIC_QUANTILE)
		return log(quantile(b, times, s.p));
	for (i = 0; i < b->n; i++) {
		all.sum += times[i] * b->list[i].sum;
		all.slots += times[i] * b->list[i].slots;
		all.count += times[i] * b->list[i].count;
		all.nonzero += times[i] * b->list[i].nonzero;
	}
	return s.kind == STATISTIC_SHARE ? all.nonzero / all.count :
	    log(all.sum / (all.slots * b->seconds));
}

static void
draw(const struct blocks *b, struct statistic s, uint64_t seed, double *values)
{
	double times[MANY_BLOCKS];
	size_t i, k;

	for (i = 0; i < DRAWS; i++) {
		for (k = 0; k < b->n; k++)
			times[k] = 0;
		for (k = 0; k < b->n; k++)
			times[next_number(&seed) % b->n]++;
		values[i] = drawn_value(b, times, s);
	}
}

/* Of values that are finite. A draw of n blocks varies a little less than the
 * data does. */
static double
variance_of(const double *values, size_t n_blocks)
{
	double sum = 0, squares = 0, n = 0, mean;
	size_t i;

	for (i = 0; i < DRAWS; i++)
		if (isfinite(values[i])) {
			sum += values[i];
			n++;
		}
	mean = sum / n;
	for (i = 0; i < DRAWS; i++)
		if (isfinite(values[i]))
			squares += (values[i] - mean) * (values[i] - mean);
	return n < DRAWS / 2 ? INFINITY : squares / (n - 1) *
	    (double)n_blocks / (double)(n_blocks - 1);
}

/* Of the course, or of the difference of two that are drawn alike. */
static double
bootstrap(const struct course *c, const struct course *other,
    struct statistic s, size_t n_blocks)
{
	double values[DRAWS], others[DRAWS];
	struct blocks b = blocks_of(c, n_blocks, s.kind);
	size_t i;

	draw(&b, s, 1, values);
	blocks_release(&b);
	if (other != NULL) {
		b = blocks_of(other, n_blocks, s.kind);
		draw(&b, s, 1, others);
		blocks_release(&b);
		for (i = 0; i < DRAWS; i++)
			values[i] -= others[i];
	}
	return variance_of(values, n_blocks);
}

static size_t
slots_of(const struct course *c, enum statistic_kind kind)
{
	return kind == STATISTIC_RATE && c->n > 2 ? c->n - 2 : c->n;
}

/* Short blocks take a slow moment for several that are independent, few long
 * ones tell little: the larger variance of the two counts. */
static struct spread
spread_of(const struct course *c, const struct course *other,
    struct statistic s)
{
	size_t n = slots_of(c, s.kind), few;
	struct spread many, long_ones;

	if (other != NULL && slots_of(other, s.kind) < n)
		n = slots_of(other, s.kind);
	if (n > MANY_BLOCKS)
		n = MANY_BLOCKS;
	few = n / 2;
	many = (struct spread){ bootstrap(c, other, s, n), (double)n - 1 };
	if (few < LEAST_BLOCKS)
		return many;
	long_ones = (struct spread){ bootstrap(c, other, s, few),
	    (double)few - 1 };
	return long_ones.variance > many.variance ? long_ones : many;
}

/* The sum of two variances, by Welch and Satterthwaite. */
static struct spread
spread_add(struct spread a, struct spread b)
{
	struct spread sum = { a.variance + b.variance, 0 };
	double parts = a.variance * a.variance / a.freedom +
	    b.variance * b.variance / b.freedom;

	sum.freedom = parts > 0 ? sum.variance * sum.variance / parts :
	    fmin(a.freedom, b.freedom);
	return sum;
}

static struct spread
spread_scale(struct spread s, double factor)
{
	return (struct spread){ s.variance * factor, s.freedom };
}

/* One that is known for sure. */
static struct spread
spread_exact(double variance)
{
	return (struct spread){ variance, 1e9 };
}

bool
evidence_suffices(const struct course *c, struct statistic s)
{
	double values = 0;
	size_t i;

	if (s.kind == STATISTIC_SHARE)
		return true;
	for (i = 0; i < c->n; i++)
		values += (double)c->slots[i].count;
	return course_filled(c) >= LEAST_SLOTS &&
	    (s.kind != STATISTIC_QUANTILE ||
	    values * fmin(s.p, 1 - s.p) >= LEAST_BEYOND);
}

/* So alike in length that equal parts of them are of the same time. */
static bool
are_alike(const struct course *a, const struct course *b)
{
	double x = (double)a->n * (double)a->step_ns;
	double y = (double)b->n * (double)b->step_ns;

	return fabs(x - y) <= 0.1 * fmax(x, y);
}

static bool
has_blocks(const struct course *c)
{
	return course_filled(c) >= LEAST_SLOTS;
}

static double
scale(double value, enum statistic_kind kind)
{
	return kind == STATISTIC_SHARE ? value : log(value);
}

/* What a share varies by if its values are independent, at the least. */
static double
binomial(const struct evidence_of *of)
{
	double n = 0, hits = of->run.value * of->run.count, share;
	size_t i;

	for (i = 0; i < of->n_base; i++) {
		n += of->base[i].count;
		hits += of->base[i].value * of->base[i].count;
	}
	if (n == 0 || of->run.count == 0)
		return INFINITY;
	share = hits / (n + of->run.count);
	return share * (1 - share) * (1 / n + 1 / of->run.count);
}

/* Those of one run with one other. */
static struct spread
spread_of_pair(const struct evidence_of *of)
{
	const struct course *a = of->base->course, *b = of->run.course;
	bool is_share = of->statistic.kind == STATISTIC_SHARE;
	struct spread s;

	if (!has_blocks(a) || !has_blocks(b))
		return spread_exact(0);
	if (are_alike(a, b))
		s = spread_of(a, b, of->statistic);
	else
		s = spread_add(spread_of(a, NULL, of->statistic),
		    spread_of(b, NULL, of->statistic));
	return is_share ? s : spread_add(s, spread_exact(2 * BETWEEN_RUNS *
	    BETWEEN_RUNS));
}

/* Several runs show by how much equal ones differ: what their figures vary by
 * beyond what their own slots tell. */
static struct spread
spread_of_baseline(const struct evidence_of *of, double mean)
{
	enum statistic_kind kind = of->statistic.kind;
	double n = (double)of->n_base, squares = 0, least, d;
	struct spread within = { 0, 1 }, between, s;
	size_t i, n_within = 0;

	for (i = 0; i < of->n_base; i++) {
		d = scale(of->base[i].value, kind) - mean;
		squares += d * d;
		if (!has_blocks(of->base[i].course))
			continue;
		s = spread_of(of->base[i].course, NULL, of->statistic);
		within = n_within++ == 0 ? s : spread_add(within, s);
	}
	if (n_within != 0)
		within = spread_scale(within, 1 / (double)n_within);
	least = kind == STATISTIC_SHARE ? 0 : BETWEEN_RUNS * BETWEEN_RUNS;
	between = (struct spread){ squares / (n - 1) - within.variance,
	    n - 1 };
	if (between.variance < least)
		between = spread_exact(least);
	s = spread_add(spread_scale(within, 1 / n), spread_scale(between,
	    1 + 1 / n));
	return has_blocks(of->run.course) ? spread_add(s,
	    spread_of(of->run.course, NULL, of->statistic)) : s;
}

/* The t beyond which the chance is what is left of CONFIDENCE. */
static double
bound_of(double freedom)
{
	double low = 0, high = 1000, middle;
	int i;

	for (i = 0; i < 60; i++) {
		middle = (low + high) / 2;
		if (evidence_student(middle, freedom) > 1 - CONFIDENCE)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static bool
is_enough(const struct evidence_of *of)
{
	bool is_enough = evidence_suffices(of->run.course, of->statistic);
	size_t i;

	for (i = 0; i < of->n_base; i++)
		is_enough &= evidence_suffices(of->base[i].course,
		    of->statistic);
	return is_enough;
}

struct evidence
evidence_find(const struct evidence_of *of)
{
	enum statistic_kind kind = of->statistic.kind;
	double mean = 0, change, error, width;
	struct evidence e = { false, NAN, NAN, NAN };
	struct spread s;
	size_t i;

	if (!is_enough(of))
		return e;
	for (i = 0; i < of->n_base; i++)
		mean += scale(of->base[i].value, kind) / (double)of->n_base;
	change = scale(of->run.value, kind) - mean;
	s = of->n_base == 1 ? spread_of_pair(of) :
	    spread_of_baseline(of, mean);
	if (kind == STATISTIC_QUANTILE)
		s = spread_add(s, spread_exact(2 * EXACTNESS * EXACTNESS));
	if (kind == STATISTIC_SHARE && s.variance < binomial(of))
		s = spread_exact(binomial(of));
	e.is_known = true;
	error = sqrt(s.variance);
	e.p = change == 0 ? 1 : evidence_student(change / error, s.freedom);
	width = bound_of(s.freedom) * error;
	e.low = kind == STATISTIC_SHARE ? change - width :
	    expm1(change - width);
	e.high = kind == STATISTIC_SHARE ? change + width :
	    expm1(change + width);
	return e;
}
