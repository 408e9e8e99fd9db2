/* SPDX-License-Identifier: MIT */
#include "k6agg/fold/fence.c"

#include "random.h"
#include "tap.h"

enum { INTERPOLATE = 1000000, NEAREST = 0 };

static struct fence_rule rule = { 0, 0.25, 1.5, 1.3 };

#define MS 1000000.0
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The fence, in milliseconds, around n values in milliseconds. */
static void
expect(int64_t algo_threshold, const int64_t *ms, size_t n, double min,
    double max)
{
	int64_t values[64];
	struct fence f;
	size_t i;

	for (i = 0; i < n; i++)
		values[i] = ms[n - 1 - i] * 1000000;
	rule.algo_threshold = algo_threshold;
	f = fence_of(&rule, values, n);
	if (f.min != (int64_t)round(min * MS) ||
	    f.max != (int64_t)round(max * MS))
		printf("# %g .. %g, not %g .. %g\n", (double)f.min / MS,
		    (double)f.max / MS, min, max);
	CHECK(f.min == (int64_t)round(min * MS));
	CHECK(f.max == (int64_t)round(max * MS));
}

/* The table of PROTOCOL 4. */
static void
examples(void)
{
	static const int64_t seven[] = { 10, 12, 14, 15, 16, 20, 200 };
	static const int64_t zeros[] = { 0, 0, 0, 0, 0, 0, 0, 0, 5 };
	int64_t run[26], seconds[11];
	int i;

	for (i = 0; i < 25; i++)
		run[i] = 10 + i;
	run[25] = 95;
	for (i = 0; i < 11; i++)
		seconds[i] = 1000 * i;
	expect(INTERPOLATE, run, N_OF(run), -2.5, 45.0);
	expect(NEAREST, run, N_OF(run), -3.5, 45.9);
	expect(INTERPOLATE, seconds, N_OF(seconds), -5000, 14000);
	expect(NEAREST, seconds, N_OF(seconds), -4500, 14500);
	expect(INTERPOLATE, seven, N_OF(seven), 5.5, 24.5);
	expect(NEAREST, seven, N_OF(seven), 5.0, 27.8);
	expect(INTERPOLATE, zeros, N_OF(zeros), 0, 0);
	rule.coef_lower = rule.coef_upper = 1;
	expect(INTERPOLATE, seconds, N_OF(seconds), -2500, 12500);
	rule.coef_lower = rule.coef_upper = rule.radius = 0;
	expect(NEAREST, seven, N_OF(seven), 15, 15);
	rule = (struct fence_rule){ 0, 0.25, 1.5, 1.3 };
}

static void
switches(void)
{
	int64_t values[7] = { 10, 12, 14, 15, 16, 20, 200 };

	rule.algo_threshold = 8;	/* 7 < 8: interpolated */
	CHECK(fence_of(&rule, values, 7).max == 24);
	rule.algo_threshold = 7;
	CHECK(fence_of(&rule, values, 7).max == 27);
}

static void
one_value(void)
{
	int64_t value = 42;
	struct fence f;

	f = fence_of(&rule, &value, 1);
	CHECK(f.min == 42 && f.max == 42 && fence_holds(&f, 42));
	CHECK(!fence_holds(&f, 41) && !fence_holds(&f, 43));
}

/* As PROTOCOL 4 says it, word for word, and slowly. */
static int64_t
smallest(const int64_t *v, size_t n, size_t k)
{
	size_t i, x, less, same;

	for (i = 0; i < n; i++) {
		for (x = less = same = 0; x < n; x++) {
			less += v[x] < v[i];
			same += v[x] == v[i];
		}
		if (less <= k && k < less + same)
			return v[i];
	}
	return -1;
}

static int64_t
quartile(const int64_t *v, size_t n, double p, bool is_interpolated)
{
	double last = (double)n - 1, i = p * last;
	int64_t f, c;

	if (!is_interpolated)
		return smallest(v, n, (size_t)llround(last * p));
	f = smallest(v, n, (size_t)floor(i));
	c = smallest(v, n, (size_t)ceil(i));
	return f + (int64_t)((double)(c - f) * (i - floor(i)));
}

static struct fence
reference(const struct fence_rule *r, const int64_t *v, size_t n)
{
	double radius = r->radius > 0.5 ? 0.5 : r->radius;
	bool is_interpolated = (int64_t)n < r->algo_threshold;
	int64_t q1 = quartile(v, n, 0.5 - radius, is_interpolated);
	int64_t q3 = quartile(v, n, 0.5 + radius, is_interpolated);

	return (struct fence){
	    q1 - (int64_t)(r->coef_lower * (double)(q3 - q1)),
	    q3 + (int64_t)(r->coef_upper * (double)(q3 - q1)) };
}

static int64_t
random_value(int kind)
{
	switch (kind) {
	case 0:
		return 0;
	case 1:
		return (int64_t)random_below(3) * 1000000;
	case 2:
		return random_below(5) ? 0
		    : (int64_t)random_below(90000000);
	case 3:
		return (int64_t)random_below(UINT64_C(1) << 51);
	default:
		return 100000 + (int64_t)random_below(1000000);
	}
}

static void
as_reference(void)
{
	int64_t values[200], copy[200];
	struct fence got, want;
	size_t n, i, round_number, n_bad = 0;
	int kind;

	for (round_number = 0; round_number < 3000; round_number++) {
		rule.algo_threshold = (int64_t)random_below(120);
		rule.radius = random_below(4) ? random_real() * 0.6 : 0.25;
		rule.coef_lower = random_below(4) ? random_real() * 4 : 1.5;
		rule.coef_upper = random_below(4) ? random_real() * 4 : 0;
		n = 1 + random_below(random_below(4) ? 120 : 6);
		kind = (int)random_below(5);
		for (i = 0; i < n; i++)
			copy[i] = values[i] = random_value(kind);
		want = reference(&rule, values, n);
		got = fence_of(&rule, copy, n);
		if (got.min != want.min || got.max != want.max) {
			printf("# %zu values: %lld..%lld, not %lld..%lld\n",
			    n, (long long)got.min, (long long)got.max,
			    (long long)want.min, (long long)want.max);
			n_bad++;
		}
	}
	CHECK(n_bad == 0);
	rule = (struct fence_rule){ 0, 0.25, 1.5, 1.3 };
}

static void
saturates(void)
{
	int64_t values[] = { 0, 1, (int64_t)1 << 51, (int64_t)1 << 52 };
	struct fence f;

	rule.coef_lower = rule.coef_upper = 1e300;
	f = fence_of(&rule, values, 4);
	CHECK(f.min == INT64_MIN && f.max == INT64_MAX);
	rule = (struct fence_rule){ 0, 0.25, 1.5, 1.3 };
}

int
main(void)
{
	test("the worked examples come out", examples);
	test("the method changes at algo_threshold", switches);
	test("one value is its own fence", one_value);
	test("random values give the fences of a slow reference",
	    as_reference);
	test("a fence past the range stands at its end", saturates);
	return tap_end();
}
