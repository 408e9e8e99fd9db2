/* SPDX-License-Identifier: MIT */
/* Sums that are exact: whole millionths are added as integers. */
#include "base/total.h"

#include <float.h>
#include <math.h>
#include <stdint.h>

enum { DIGITS_MAX = 30, FRACTION_MAX = 6 };

/* A sum that comes to LARGE goes to the rest, before it overflows. */
#define LARGE ((__int128)1 << 120)

/* The whole number of millionths nearest to a number of 2^31 or more, below
 * 2^100. */
static __int128
nearest_millionths(double value)
{
	int exponent;
	__int128 scaled = (__int128)ldexp(frexp(value, &exponent), 53) *
	    TOTAL_PER_ONE, half;
	int shift = 53 - exponent;

	if (shift <= 0)
		return scaled * ((__int128)1 << -shift);
	half = (__int128)1 << (shift - 1);
	return scaled < 0 ? -((half - scaled) >> shift)
	    : (scaled + half) >> shift;
}

/* The double nearest to n > 0 millionths, past those that a double holds: the
 * quotient has 55 bits or more, of which the last says if something is left,
 * so that it is rounded once. */
static double
divided(unsigned __int128 n)
{
	int shift = n >> 75 == 0 ? 22 : 0;
	unsigned __int128 scaled = n << shift;
	unsigned __int128 quotient = scaled / TOTAL_PER_ONE;

	return ldexp((double)(quotient | (scaled % TOTAL_PER_ONE != 0)),
	    -shift);
}

static double
value_of(__int128 millionths)
{
	const __int128 exact = (__int128)1 << 53;

	if (millionths > -exact && millionths < exact)
		return (double)(int64_t)millionths / TOTAL_PER_ONE;
	return millionths < 0 ? -divided(-(unsigned __int128)millionths)
	    : divided((unsigned __int128)millionths);
}

/* A sum past all doubles stays at the largest: infinity can be neither stored
 * nor told, and with another one it is no number. */
static void
add_rest(struct total *t, double value)
{
	t->rest += value;
	if (isinf(t->rest) && !isinf(value))
		t->rest = copysign(DBL_MAX, t->rest);
}

static void
add_millionths(struct total *t, __int128 millionths)
{
	t->millionths += millionths;
	if (t->millionths < LARGE && t->millionths > -LARGE)
		return;
	add_rest(t, value_of(t->millionths));
	t->millionths = 0;
}

void
total_add_other(struct total *t, double value)
{
	__int128 millionths;

	if (fabs(value) >= 0x1p31 && fabs(value) < 0x1p99) {
		millionths = nearest_millionths(value);
		if (value_of(millionths) == value) {
			add_millionths(t, millionths);
			return;
		}
	}
	add_rest(t, value);
}

void
total_merge(struct total *t, const struct total *from)
{
	add_millionths(t, from->millionths);
	add_rest(t, from->rest);
}

struct total
total_of(double value)
{
	struct total t = { 0 };

	total_add(&t, value);
	return t;
}

struct total
total_of_millionths(__int128 millionths)
{
	struct total t = { 0 };

	add_millionths(&t, millionths);
	return t;
}

double
total_value(const struct total *t)
{
	double value = value_of(t->millionths);

	if (t->rest == 0)
		return value;
	value += t->rest;
	return isinf(value) && !isinf(t->rest) ? copysign(DBL_MAX, value)
	    : value;
}

bool
total_parse(const char *p, size_t n, __int128 *millionths)
{
	const char *end = p + n;
	bool is_negative = n > 0 && *p == '-', in_fraction = false;
	__int128 sum = 0;
	int digits = 0, fraction = 0;

	for (p += is_negative; p < end; p++) {
		if (*p == '.' && !in_fraction) {
			in_fraction = true;
			continue;
		}
		if (*p < '0' || *p > '9')
			return false;
		sum = sum * 10 + (*p - '0');
		fraction += in_fraction;
		if (++digits > DIGITS_MAX || fraction > FRACTION_MAX)
			return false;
	}
	for (; fraction < FRACTION_MAX; fraction++)
		sum *= 10;
	*millionths = is_negative ? -sum : sum;
	return digits > 0;
}
