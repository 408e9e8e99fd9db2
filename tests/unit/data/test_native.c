/* SPDX-License-Identifier: MIT */
#include "data/native.c"

#include "tap.h"

static void
add_all(struct native *h, const struct native_scale *scale,
    const double *values, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		native_add(h, scale, values[i], 1);
}

/* Hex of an encoded message. */
static void
check_hex(const struct pb_out *o, const char *want)
{
	struct span got = pb_whole(o);
	struct buf hex = { 0 };
	size_t i;

	for (i = 0; i < got.n; i++)
		buf_printf(&hex, "%02x", (unsigned char)got.p[i]);
	CHECK_BUF(hex, want);
	buf_release(&hex);
}

/* k6's own keys of these values. */
static void
indexes(void)
{
	static const struct { double value; int32_t index; } cases[] = {
		{ 0.001, -79 }, { 0.14096, -22 }, { 0.2, -18 }, { 0.5, -8 },
		{ 1, 0 }, { 1.05, 1 }, { 2, 8 }, { 3, 13 } };
	struct native_scale scale;
	int schema;
	size_t i;
	int32_t k;
	double v;

	native_scale_init(&scale, 3);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK(index_of(&scale, cases[i].value) == cases[i].index);
	for (schema = NATIVE_LEAST; schema <= NATIVE_MOST; schema++) {
		native_scale_init(&scale, schema);
		for (k = -3000; k < 3000; k++) {
			v = native_upper(schema, k);
			CHECK(index_of(&scale, v * (1 - 1e-12)) == k);
			CHECK(index_of(&scale, v * (1 + 1e-12)) == k + 1);
		}
		CHECK(index_of(&scale, 0x1p-1074) ==
		    -1074 * (1 << schema));
	}
}

/* Bytes that Prometheus 2.42 took, and whose quantiles it gave. */
static void
messages(void)
{
	static const double values[] = { 0.1, 0.2, 0.2001 };
	static const char *const want[] = {
		"080319e25817b7d100e03f200629000000000000f03730005a04083310015a"
		"04080e1001620202" "0278d2d995ffbc31",
		"080319e25817b7d100e03f200c29000000000000f03730005a0508a7031001"
		"5a04087e1001620202" "0278d2d995ffbc31" };
	struct native_scale scale;
	struct native h = { 0 };
	struct pb_out o = { 0 };
	int i;

	for (i = 0; i < 2; i++) {
		native_scale_init(&scale, i == 0 ? 3 : 6);
		add_all(&h, &scale, values, 3);
		o.n = 0;
		native_encode(&h, scale.schema, 0.5001, 1700000001234, 0, &o);
		check_hex(&o, want[i]);
		native_release(&h);
	}
	pb_release(&o);
}

static bool
is_same_side(const struct native_side *a, const struct native_side *b)
{
	uint32_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (a->v[i].index != b->v[i].index ||
		    a->v[i].count != b->v[i].count)
			return false;
	return true;
}

/* Gaps of each length, both signs, counts that fall and rise. */
static void
round_trip(void)
{
	struct native_scale scale;
	struct native h = { 0 };
	struct native_sample back;
	struct pb_out o = { 0 };
	struct why why;
	int i, at = -400, sign;

	native_scale_init(&scale, 6);
	for (sign = -1; sign <= 1; sign += 2)
		for (i = 0, at = -400; i < 60; at += 1 + i++ % 7)
			native_add(&h, &scale, sign * native_upper(6, at),
			    (uint64_t)(i * 7919 % 1000 + 1));
	native_add(&h, &scale, 0, 17);
	native_encode(&h, 6, -1.5, -5, -7, &o);
	CHECK(native_parse(&back, pb_whole(&o), &why) == 0);
	CHECK(back.hist.count == h.count && back.hist.zero == 17);
	CHECK(back.schema == 6 && back.sum == -1.5 && back.time_ms == -5 &&
	    back.start_ms == -7);
	CHECK(is_same_side(&back.hist.positive, &h.positive));
	CHECK(is_same_side(&back.hist.negative, &h.negative));
	CHECK(h.positive.n == 60 && h.negative.n == 60);
	native_release(&back.hist);
	native_release(&h);
	pb_release(&o);
}

/* Whatever the cut: a message or an error, and nothing is leaked. */
static void
each_cut(void)
{
	static const double values[] = { 0.1, 0.2, 0.2001, -7, 0, 1e9 };
	struct native_sample back;
	struct native_scale scale;
	struct native h = { 0 };
	struct pb_out o = { 0 };
	struct why why;
	size_t cut;
	char *copy;

	native_scale_init(&scale, 6);
	add_all(&h, &scale, values, 6);
	native_encode(&h, 6, 1, 1, 0, &o);
	for (cut = 0; cut < o.n; cut++) {
		copy = xstrndup(pb_whole(&o).p, cut);
		if (native_parse(&back, (struct span){ copy, cut }, &why) == 0)
			native_release(&back.hist);
		free(copy);
	}
	native_release(&h);
	pb_release(&o);
}

/* Pooled values, and a histogram of k6's bins in milliseconds. */
static void
quantiles(void)
{
	static const double at[] = { 0.01, 0.5, 0.9, 0.99, 0.999 };
	struct native_scale scale;
	struct native raw = { 0 }, folded = { 0 };
	struct hist bins = { 0 };
	double v, want;
	size_t i;

	native_scale_init(&scale, 6);
	for (i = 0; i <= 100000; i++) {
		v = exp(log(0.02) + (double)i / 100000 * log(500));
		native_add(&raw, &scale, v, 1);
		hist_add(&bins, v * 1000, 1);
	}
	native_add_hist(&folded, &scale, &bins, 0.001);
	CHECK(raw.count == folded.count);
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		want = exp(log(0.02) + at[i] * log(500));
		v = native_quantile(&raw, 6, at[i], 0.02, 10);
		CHECK(fabs(v / want - 1) < 0.004);
		v = native_quantile(&folded, 6, at[i], 0.02, 10);
		CHECK(fabs(v / want - 1) < 0.008);
	}
	CHECK(native_quantile(&raw, 6, 1, 0.02, 10) <= 10);
	native_release(&raw);
	native_release(&folded);
	hist_release(&bins);
}

static void
odd_values(void)
{
	static const double values[] = { -2, -1, 0, 1e-300, INFINITY, 3 };
	struct native_scale scale;
	struct native h = { 0 };
	struct hist bins = { 0 };

	native_scale_init(&scale, 6);
	native_add(&h, &scale, NAN, 1);
	CHECK(h.count == 0 && native_quantile(&h, 6, 0.5, 0, 0) == 0);
	add_all(&h, &scale, values, 6);
	CHECK(h.count == 6 && h.zero == 2);
	CHECK(h.positive.n == 2 && h.negative.n == 2);
	CHECK(native_quantile(&h, 6, 0, -2, 3) >= -2);
	CHECK(native_quantile(&h, 6, 0, -2, 3) < -1.9);
	CHECK(native_quantile(&h, 6, 0.5, -2, 3) == 0);
	native_release(&h);
	hist_add(&bins, -5, 2);
	bins.low += 3;		/* as the wire has them: only counted */
	hist_add(&bins, 1e30, 1);
	hist_add(&bins, 7, 4);
	native_add_hist(&h, &scale, &bins, 1);
	CHECK(h.count == 10 && h.negative.n == 2 && h.positive.n == 2);
	native_release(&h);
	hist_release(&bins);
	/* The first bin has nothing but zeros, the next has none. */
	hist_add(&bins, 0, 6);
	hist_add(&bins, 0.0008, 1);
	native_add_hist(&h, &scale, &bins, 1);
	CHECK(bins.n == 2 && h.count == 7);
	CHECK(h.zero == 6 && h.positive.n == 1);
	native_release(&h);
	hist_release(&bins);
}

int
main(void)
{
	test("a value is in the bucket that k6 puts it into", indexes);
	test("messages are those that Prometheus takes", messages);
	test("a message reads back as it was written", round_trip);
	test("a message that is cut is read or refused", each_cut);
	test("percentiles are close, also of folded values", quantiles);
	test("zeros, negative, infinite and missing values", odd_values);
	return tap_end();
}
