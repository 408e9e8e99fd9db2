/* SPDX-License-Identifier: MIT */
#include "base/total.c"

#include <stdlib.h>

#include "random.h"
#include "tap.h"

static void
small(void)
{
	struct total t = { 0 };
	int i;

	CHECK(total_value(&t) == 0);
	for (i = 0; i < 10; i++)
		total_add(&t, 0.1);
	CHECK(t.millionths == 1000000 && t.rest == 0 && total_value(&t) == 1);
	total_add(&t, -0.000001);
	CHECK(total_value(&t) == 0.999999);
	total_add(&t, -1.999999);
	CHECK(total_value(&t) == -1);
	total_add(&t, -0.0);
	CHECK(t.millionths == -1000000 && t.rest == 0);
}

/* Past all doubles it is the largest, and no infinity meets another. */
static void
too_large(void)
{
	struct total t = { 0 }, u = { 0 };
	int i;

	for (i = 0; i < 3; i++) {
		total_add(&t, 1e308);
		total_add(&u, -1e308);
	}
	CHECK(total_value(&t) == DBL_MAX && total_value(&u) == -DBL_MAX);
	total_merge(&t, &u);
	CHECK(total_value(&t) == 0);
}

/* A nanosecond more or less is seen up to 26 days of milliseconds. */
static void
each_nanosecond(void)
{
	struct total t;
	int64_t ns;
	int i;

	for (i = 0; i < 100000; i++) {
		ns = (int64_t)(random_bits() >> (13 + i % 40));
		t = total_of((double)ns / 1e6);
		CHECK(t.millionths == ns && t.rest == 0);
		t = total_of((double)-ns / 1e6);
		CHECK(t.millionths == -ns && t.rest == 0);
	}
}

static void
large(void)
{
	struct total t = total_of(0x1p53);

	CHECK(t.rest == 0 && total_value(&t) == 0x1p53);
	total_add(&t, 1);
	total_add(&t, 1);
	CHECK(t.rest == 0 && total_value(&t) == 0x1p53 + 2);
	t = total_of(-0x1p90);
	CHECK(t.rest == 0 && total_value(&t) == -0x1p90);
	t = total_of(3e9 + 0.5);
	CHECK(t.millionths == (__int128)3000000000500000 && t.rest == 0);
	t = total_of(1e30);
	CHECK(t.millionths == 0 && t.rest == 1e30);
	total_add(&t, 5);
	total_add(&t, -1e30);
	CHECK(total_value(&t) == 5);
	t = total_of(5e-324);	/* the smallest there is */
	CHECK(t.millionths == 0 && t.rest == 5e-324);
	t = total_of(INFINITY);
	CHECK(isinf(total_value(&t)));
	t = total_of(NAN);
	CHECK(isnan(total_value(&t)));
}

/* What is no number of millionths is added as a double. */
static void
odd(void)
{
	struct total t = total_of(1.0 / 3), other = total_of(0.0000001);

	CHECK(t.millionths == 0 && total_value(&t) == 1.0 / 3);
	total_merge(&t, &other);
	total_add(&t, 2);
	CHECK(t.millionths == 2000000 && t.rest == 1.0 / 3 + 0.0000001);
}

static void
no_overflow(void)
{
	struct total t = { 0 }, most = { 0 };
	int i;

	most = total_of(0x1.8p98);
	CHECK(most.rest == 0);
	for (i = 0; i < 1000; i++)
		total_merge(&t, &most);
	CHECK(fabs(total_value(&t) / (1000 * 0x1.8p98) - 1) < 1e-12);
	CHECK(t.millionths < LARGE && t.millionths > -LARGE);
}

/* The double nearest to millionths / 10^6, as the C library reads it. */
static void
nearest(void)
{
	unsigned __int128 n, m;
	char digits[64], *p;
	struct total t;
	int i;

	for (i = 0; i < 100000; i++) {
		n = ((unsigned __int128)random_bits() << 64 | random_bits()) >>
		    (9 + i % 119);
		p = digits + sizeof(digits) - 1;
		memcpy(p - 3, "e-6", 4);
		p -= 3;
		m = n;
		do
			*--p = (char)('0' + (int)(m % 10));
		while ((m /= 10) != 0);
		t = total_of_millionths((__int128)n);
		CHECK(total_value(&t) == strtod(p, NULL));
		t = total_of_millionths(-(__int128)n);
		CHECK(total_value(&t) == -strtod(p, NULL));
	}
}

static void
any_order(void)
{
	enum { N = 1000, SHUFFLES = 100 };
	struct total t, parts[7], want = { 0 };
	double values[N];
	int i, round;

	for (i = 0; i < N; i++)
		values[i] = i % 3 == 0 ? (double)(random_bits() >> 11)
		    : (double)(random_bits() >> (14 + i % 40)) / 1e6;
	for (i = 0; i < N; i++)
		total_add(&want, values[i]);
	CHECK(want.rest == 0);
	for (round = 0; round < SHUFFLES; round++) {
		memset(parts, 0, sizeof(parts));
		random_shuffle(values, N);
		for (i = 0; i < N; i++)
			total_add(&parts[random_below(7)], values[i]);
		t = parts[6];
		for (i = 0; i < 6; i++)
			total_merge(&t, &parts[i]);
		CHECK(t.millionths == want.millionths && t.rest == 0);
		CHECK(total_value(&t) == total_value(&want));
	}
}

static bool
parses(const char *text, __int128 want)
{
	__int128 got = 0;

	return total_parse(text, strlen(text), &got) && got == want;
}

static bool
refuses(const char *text)
{
	__int128 got;

	return !total_parse(text, strlen(text), &got);
}

static void
parse(void)
{
	CHECK(parses("0", 0) && parses("-0", 0) && parses("7", 7000000));
	CHECK(parses("9223372036854.775807", INT64_MAX));
	CHECK(parses("9223372036854.775808", (__int128)INT64_MAX + 1));
	CHECK(parses("-0.000001", -1) && parses("1.5", 1500000));
	CHECK(refuses("") && refuses("-") && refuses("1e3"));
	CHECK(refuses("0.0000001") && refuses("1.2.3") && refuses("x"));
	CHECK(parses("999999999999999999999999999999",
	    ((__int128)1000000000000000 * 1000000000000000 - 1) * 1000000));
	CHECK(refuses("1000000000000000000000000000000"));
}

int
main(void)
{
	test("sums of millionths are exact", small);
	test("a sum past all doubles is the largest", too_large);
	test("each nanosecond counts", each_nanosecond);
	test("large numbers", large);
	test("what is no number of millionths is added as it is", odd);
	test("no sum overflows", no_overflow);
	test("a total is the nearest double", nearest);
	test("the order of numbers does not matter", any_order);
	test("sums are read exactly", parse);
	return tap_end();
}
