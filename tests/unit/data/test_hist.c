/* SPDX-License-Identifier: MIT */
#include "data/hist.c"

#include "hists.h"
#include "random.h"
#include "tap.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The value that gives `scaled`, or the next lower double, when it is divided
 * by RESOLUTION. */
static double
scaled_back(double scaled)
{
	double v = scaled * RESOLUTION;

	while (v / RESOLUTION < scaled)
		v = nextafter(v, (double)INFINITY);
	while (v / RESOLUTION > scaled)
		v = nextafter(v, 0);
	return v;
}

/* The tables of PROTOCOL 5.5. */
static void
indexes(void)
{
	static const struct {
		double scaled;
		int64_t index;
	} scaled[] = {
		{ 0, 0 }, { 0.12, 1 }, { 1.91, 2 }, { 12.5, 13 },
		{ 255, 255 }, { 256, 256 }, { 257, 256 }, { 258, 257 },
		{ 282.29, 269 }, { 511, 383 }, { 512, 384 }, { 514, 384 },
		{ 1029, 512 }, { 39751, 1179 }, { 100000, 1347 },
		{ 182272, 1458 }, { 183000, 1458 }, { 184000, 1459 },
		{ 200000, 1475 }, { 0x1p20, 1792 }, { 0x1p30 - 1, 3071 },
		{ 0x1p30, 3072 }, { 0x1p31 - 1, 3199 }, { 0x1p32 - 1, 3327 },
		{ 0x1p40, 4352 }, { 0x1p62, 7168 }, { 0x1p63, 7296 },
	};
	static const struct {
		double ms;
		int64_t index;
	} rows[] = {
		{ 0.0004, 1 }, { 0.001, 1 }, { 0.0011, 2 }, { 0.255, 255 },
		{ 0.256, 256 }, { 0.257, 256 }, { 0.282, 269 }, { 1, 506 },
		{ 1.1, 521 }, { 12.345, 960 }, { 100, 1347 }, { 200, 1475 },
		{ 200.1, 1475 }, { 123.456, 1393 }, { 5000, 2072 },
		{ 60000, 2532 },
	};
	size_t i;

	for (i = 0; i < N_OF(scaled); i++)
		if (hist_index(scaled_back(scaled[i].scaled)) !=
		    scaled[i].index) {
			printf("# %.17g\n", scaled[i].scaled);
			CHECK(false);
		}
	for (i = 0; i < N_OF(rows); i++)
		if (hist_index(rows[i].ms) != rows[i].index) {
			printf("# %.17g: %lld\n", rows[i].ms,
			    (long long)hist_index(rows[i].ms));
			CHECK(false);
		}
	CHECK(hist_index(-0.001) == -1 && hist_index(-0.0) == 0);
	CHECK(hist_index(1e300) == -2 && hist_index((double)INFINITY) == -2);
	CHECK(hist_index((double)NAN) == -2);
}

/* Each value stands between the bounds of its bucket, and buckets touch. */
static void
bounds(void)
{
	size_t i, n_bad = 0;
	uint32_t k;
	int64_t index;
	double v;

	for (i = 0; i < 100000; i++) {
		v = ldexp(random_real(), (int)random_below(50) - 12);
		index = hist_index(v);
		n_bad += index < 0 || v < hist_lower((uint32_t)index) *
		    (1 - 1e-12) || v > hist_upper((uint32_t)index) *
		    (1 + 1e-12);
	}
	for (k = 1; k < 5000; k++)
		n_bad += fabs(hist_lower(k) - hist_upper(k - 1)) >
		    hist_lower(k) * 1e-12;
	CHECK(n_bad == 0);
}

static void
print(const struct hist *h, const char *want)
{
	struct buf b = { 0 };
	struct jsn_out o = { .to = &b };

	jsn_open(&o, '{');
	hist_print(h, &o);
	jsn_close(&o, '}');
	CHECK_BUF(b, want);
	buf_release(&b);
}

static void
printed(const double *values, size_t n, double scale, const char *want)
{
	struct hist h = { 0 };
	size_t i;

	for (i = 0; i < n; i++)
		hist_add(&h, values[i] * scale, 1);
	print(&h, want);
	hist_release(&h);
}

/* A tally counts what hist_add counts one by one, and is empty again. */
static void
tallies(void)
{
	static const double edges[] = { 0, 0.0004, -0.001, -1e300, 1e300, 1e300,
	    0x1p63 * RESOLUTION, (double)INFINITY, (double)NAN };
	static struct hist_tally tally;
	struct hist one = { 0 }, many = { 0 };
	struct buf a = { 0 }, b = { 0 };
	struct jsn_out to_a = { .to = &a }, to_b = { .to = &b };
	size_t i, round;
	double v;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < N_OF(edges) + 1000; i++) {
			v = i < N_OF(edges) ? edges[i] :
			    ldexp(random_real(), (int)random_below(40) - 12);
			hist_add(&one, v, 1);
			hist_tally_add(&tally, v);
		}
		hist_add_tally(&many, &tally);
		hist_add_tally(&many, &tally);
	}
	CHECK(one.low == 6 && many.low == 6);
	CHECK(one.high == 12 && many.high == 12);
	CHECK(hist_count(&one) == hist_count(&many));
	hist_print(&one, &to_a);
	hist_print(&many, &to_b);
	CHECK(span_equal(buf_whole(&a), buf_whole(&b)));
	buf_release(&a);
	buf_release(&b);
	hist_release(&one);
	hist_release(&many);
}

/* The spans of PROTOCOL 5.5, as pairs. A resolution of 1 is ours of 0.001
 * with values in thousandths. */
static void
spans(void)
{
	static const double a[] = { 200, 100, 200.1 }, b[] = { 2, 0.01, 3 },
	    c[] = { 7, 8, 9, 11, 12, 11.5, 10.5 },
	    d[] = { 0.000052, 0.002115, 0.012013, 0.05017, 0.25, 0.54, 0.541,
	    0.803 }, e[] = { -0.001, -0.001, -0.001 };

	printed(a, N_OF(a), 1, "{\"counters\":[1,2],"
	    "\"spans\":[1347,1,127,1]}");
	printed(b, N_OF(b), 1, "{\"counters\":[1,1,1],"
	    "\"spans\":[10,1,623,1,64,1]}");
	printed(c, N_OF(c), 1, "{\"counters\":[1,1,1,1,1,1,1],"
	    "\"spans\":[858,1,31,1,17,1,23,1,6,1,7,1,7,1]}");
	printed(d, N_OF(d), 1, "{\"counters\":[1,1,1,1,1,2,1],"
	    "\"spans\":[1,1,1,1,9,1,37,1,198,1,140,1,64,1]}");
	printed(e, N_OF(e), 1, "{\"counters\":[],\"spans\":[],\"low\":3}");
	printed(c, N_OF(c), 0.001, "{\"counters\":[1,1,1,2,2],"
	    "\"spans\":[7,3,1,2]}");
	printed(NULL, 0, 1, "{\"counters\":[],\"spans\":[]}");
}

static double
random_value(int kind)
{
	double u = random_real() + 0x1p-60;

	switch (kind) {
	case 0:	/* lognormal */
		return exp(3 + 0.8 * sqrt(-2 * log(u)) *
		    cos(6.283185307179586 * random_real()));
	case 1:	/* bimodal */
		return (random_below(10) ? 20 : 900) + 5 * u;
	case 2:
		return 1 + 999 * u;
	default:
		return random_below(20) ? u * 1e5 : random_below(2) ? -u
		    : 1e300;
	}
}

static void
merges(void)
{
	struct hist part[4] = { { 0 } }, all = { 0 }, sum = { 0 };
	int kind, i;
	double v;

	for (kind = 0; kind < 4; kind++) {
		for (i = 0; i < 5000; i++) {
			v = random_value(kind);
			hist_add(&all, v, 1);
			hist_add(&part[random_below(4)], v, 1);
		}
		for (i = 3; i >= 0; i--)
			hist_merge(&sum, &part[i]);
		CHECK(is_same_hist(&sum, &all) && hist_count(&all) == 5000);
		CHECK(kind < 3 || is_same_hist(sum.negative, all.negative));
		for (i = 0; i < 4; i++)
			hist_release(&part[i]);
		hist_release(&all);
		hist_release(&sum);
	}
}

static void
times(void)
{
	struct hist one = { 0 }, many = { 0 };
	int i;

	for (i = 0; i < 7; i++)
		hist_add(&one, 12.345, 1);
	hist_add(&many, 12.345, 7);
	hist_add(&many, 99, 0);
	CHECK(is_same_hist(&one, &many));
	hist_release(&one);
	hist_release(&many);
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* k6's percentile of the raw values; *scale: the larger of the two that it
 * stands between. */
static double
exact(const double *sorted, size_t n, double p, double *scale)
{
	double i = p * (double)(n - 1);
	size_t f = (size_t)floor(i), c = (size_t)ceil(i);

	*scale = fmax(fabs(sorted[f]), fabs(sorted[c]));
	return sorted[f] + (sorted[c] - sorted[f]) * (i - floor(i));
}

static void
quantiles(void)
{
	static const double ps[] = { 0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99,
		0.999, 1 };
	static double values[20000];
	struct hist h = { 0 };
	double want, got, scale, sign, worst = 0;
	size_t i, n;
	int kind;

	/* Above 0, below 0, and on both sides. */
	for (kind = 0; kind < 9; kind++)
		for (n = 1; n <= N_OF(values); n = n * 7 + 13) {
			for (i = 0; i < n; i++) {
				sign = kind < 3 || (kind >= 6 &&
				    random_below(3)) ? 1 : -1;
				values[i] = sign * random_value(kind % 3);
				hist_add(&h, values[i], 1);
			}
			qsort(values, n, sizeof(values[0]), by_value);
			for (i = 0; i < N_OF(ps); i++) {
				want = exact(values, n, ps[i], &scale);
				got = hist_quantile(&h, ps[i], values[0],
				    values[n - 1]);
				worst = fmax(worst, fabs(got - want) /
				    (scale + 0.001));
			}
			hist_release(&h);
		}
	printf("# largest difference: %.3f %%\n", worst * 100);
	CHECK(worst < 0.008);
}

/* PROTOCOL 8.3, within what a bucket can tell. */
static void
known_quantiles(void)
{
	struct hist h = { 0 };
	int i;

	CHECK(hist_quantile(&h, 0.5, 0, 0) == 0);
	hist_add(&h, 42.5, 1);
	CHECK(hist_quantile(&h, 0, 42.5, 42.5) == 42.5);
	CHECK(hist_quantile(&h, 1, 42.5, 42.5) == 42.5);
	hist_release(&h);
	for (i = 1; i <= 10; i++)
		hist_add(&h, i, 1);
	CHECK(fabs(hist_quantile(&h, 0.95, 1, 10) - 9.55) < 9.55 * 0.008);
	CHECK(hist_quantile(&h, 0, 1, 10) == 1);
	CHECK(hist_quantile(&h, 1, 1, 10) == 10);
	hist_release(&h);
	hist_add(&h, 100, 1);
	hist_add(&h, 200, 1);
	hist_add(&h, 200.1, 1);
	CHECK(fabs(hist_quantile(&h, 0.99, 100, 200.1) - 200.098) < 1.6);
	hist_release(&h);
	hist_add(&h, -5, 3);
	hist_add(&h, 1, 1);
	CHECK(hist_quantile(&h, 0.5, -5, 1) == -5);
	hist_release(&h);
	for (i = 1; i <= 20; i++)
		hist_add(&h, -5 * i, 1);
	CHECK(fabs(hist_quantile(&h, 0.5, -100, -5) + 52.5) < 52.5 * 0.008);
	CHECK(fabs(hist_quantile(&h, 0.9, -100, -5) + 14.5) < 14.5 * 0.008);
	hist_empty(&h);
	CHECK(hist_count(&h) == 0 && hist_quantile(&h, 0.5, 0, 0) == 0);
	hist_add(&h, -1, 1);
	hist_add(&h, -2, 1);
	hist_add(&h, -3, 1);
	CHECK(fabs(hist_quantile(&h, 0.5, -3, -1) + 2) < 0.016);
	hist_release(&h);
	/* Of the wire only their number is known. */
	h.low = 3;
	CHECK(hist_quantile(&h, 0.5, -3, -1) == -3);
	h.low = 0;
}

static int
read_back(struct hist *h, const char *json)
{
	struct hist_reader r = { .to = h };
	struct jsn j = jsn_of(span_of(json));
	struct why why;
	struct span key;

	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key))
		if (!hist_read(&r, &j, key))
			(void)jsn_skip(&j);
	return hist_read_end(&r, &why) == 0 && jsn_done(&j) ? 0 : -1;
}

static void
round_trips(void)
{
	struct hist h = { 0 }, back = { 0 }, bytes = { 0 };
	struct buf b = { 0 };
	struct jsn_out o = { .to = &b };
	size_t n_negative;
	int i;

	for (i = 0; i < 3000; i++)
		hist_add(&h, random_value(i % 4), 1 + random_below(300));
	jsn_open(&o, '{');
	hist_print(&h, &o);
	jsn_close(&o, '}');
	CHECK(read_back(&back, b.p) == 0 && is_same_hist(&h, &back));
	buf_reset(&b);
	hist_encode(h.negative, &b);
	n_negative = b.n;
	buf_reset(&b);
	hist_encode(&h, &b);
	CHECK(hist_decode(&bytes, b.p, b.n) == 0 && is_same_hist(&h, &bytes));
	CHECK(is_same_hist(h.negative, bytes.negative));
	CHECK(hist_decode(&bytes, b.p, b.n) == 0);	/* adds */
	CHECK(hist_count(&bytes) == 2 * hist_count(&h));
	hist_release(&back);
	for (i = 0; i < (int)b.n; i++) {
		CHECK(hist_decode(&back, b.p, (size_t)i) ==
		    ((size_t)i == b.n - n_negative ? 0 : -1));
		hist_release(&back);
	}
	hist_release(&h);
	hist_release(&bytes);
	buf_release(&b);
}

/* The value at rank r of n values of 0.000001 * 1.01^i. */
static void
fine(void)
{
	struct hist h = { .keeps_fine = true }, coarse = { 0 }, copy = { 0 };
	struct buf bytes = { 0 };
	double v[1000], got;
	int i;

	for (i = 0; i < 1000; i++) {
		v[i] = 1e-6 * pow(1.01, i);
		hist_add(&h, v[i], 1);
		hist_add(&coarse, v[i], 1);
	}
	hist_encode(&h, &bytes);
	CHECK(hist_decode(&copy, bytes.p, bytes.n) == 0);
	for (i = 0; i < 1000; i += 37) {
		got = hist_quantile(&h, i / 999.0, v[0], v[999]);
		CHECK(fabs(got / v[i] - 1) < 0.0085);
		CHECK(hist_quantile(&copy, i / 999.0, v[0], v[999]) == got);
	}
	/* What is known of a part only is not used. */
	hist_merge(&h, &coarse);
	hist_merge(&coarse, &copy);
	CHECK(hist_quantile(&h, 0.5, v[0], v[999]) ==
	    hist_quantile(&coarse, 0.5, v[0], v[999]));
	CHECK(hist_count(&h) == 2000);
	/* Zeros come first; below 0 the same holds. */
	hist_empty(&copy);
	copy.keeps_fine = true;
	hist_add(&copy, 0, 5);
	hist_add(&copy, 0.02, 5);
	hist_add(&copy, -0.02, 10);
	CHECK(fabs(hist_quantile(&copy, 15.0 / 19, -1, 1) / 0.02 - 1) < 0.008);
	CHECK(hist_quantile(&copy, 12.0 / 19, -1, 1) == 0);
	CHECK(fabs(hist_quantile(&copy, 5.0 / 19, -1, 1) / -0.02 - 1) < 0.008);
	hist_release(&h);
	hist_release(&coarse);
	hist_release(&copy);
	buf_release(&bytes);
}

static void
refuses(void)
{
	static const char *const rows[] = {
		"{\"counters\":[1],\"spans\":[]}",
		"{\"counters\":[],\"spans\":[1,1]}",
		"{\"counters\":[1],\"spans\":[1]}",
		"{\"counters\":[1,2],\"spans\":[1,1]}",
		"{\"counters\":[1],\"spans\":[7297,1]}",
		"{\"counters\":[1],\"spans\":[1e15,1]}",
		"{\"counters\":[1],\"spans\":[1,1e15]}",
		"{\"counters\":[-1],\"spans\":[1,1]}",
		"{\"counters\":[1.5],\"spans\":[1,1]}",
		"{\"counters\":[1e300],\"spans\":[1,1]}",
		"{\"counters\":{},\"spans\":[1,1]}",
		"{\"counters\":[\"1\"],\"spans\":[1,1]}",
		"{\"counters\":[1],\"spans\":[-1,1]}",
		"{\"low\":-1}", "{\"high\":\"1\"}" };
	static const struct span bytes[] = { SPAN(""), SPAN("\0\0"),
		SPAN("\0\0\1\1\0"), SPAN("\0\0\1\xff\xff\1\1"),
		SPAN("\0\0\0\0"), SPAN("\0\0\0\0\0\0\0"), SPAN("\0\0\1\1\1\1"),
		SPAN("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff") };
	struct hist h = { 0 };
	size_t i;

	for (i = 0; i < N_OF(rows); i++) {
		if (read_back(&h, rows[i]) == 0)
			CHECK_TEXT(rows[i], "refused");
		hist_release(&h);
	}
	for (i = 0; i < N_OF(bytes); i++) {
		CHECK(hist_decode(&h, bytes[i].p, bytes[i].n) == -1);
		hist_release(&h);
	}
	CHECK(read_back(&h, "{\"spans\":[7296,1],\"x\":{},"
	    "\"counters\":[3],\"low\":0}") == 0);
	CHECK(h.n == 1 && h.buckets[0].index == 7296);
	hist_release(&h);
}

int
main(void)
{
	test("values fall into k6's buckets", indexes);
	test("a bucket's bounds hold its values, without a gap", bounds);
	test("counters and spans are those of k6", spans);
	test("a tally counts as one by one", tallies);
	test("parts merge into the whole", merges);
	test("a value can be counted many times at once", times);
	test("quantiles are within 0.8 % of k6's", quantiles);
	test("the ends of the data are exact", known_quantiles);
	test("JSON and bytes give back the same buckets", round_trips);
	test("small values are as exact where that is asked for", fine);
	test("counters and spans that do not fit are refused", refuses);
	return tap_end();
}
