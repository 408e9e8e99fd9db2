/* SPDX-License-Identifier: MIT */
/*
 * total: a sum of numbers that is exact, and so the same in any order, for all
 * that k6 measures: times in milliseconds with whole nanoseconds, bytes,
 * counts. Such a number is a whole number of millionths.
 */
#ifndef K6PIPE_BASE_TOTAL_H
#define K6PIPE_BASE_TOTAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A zeroed struct is 0. Of milliseconds, the millionths are nanoseconds. */
struct total {
	__int128 millionths;
	double rest;	/* sum of the numbers that are no whole millionths, or
			 * too large; rounded at each addition, at most
			 * DBL_MAX */
};

enum { TOTAL_PER_ONE = 1000000 };

/* total_add of a number that is large, or no whole number of millionths. */
void total_add_other(struct total *t, double value);

/* Add a number. Infinities and NaN go to the rest. Inline, as each sample
 * comes by here: a number below 2^31 has less than 2^51 millionths, its double
 * tells which, and adding 1.5 * 2^52 rounds to a whole number. */
static inline void
total_add(struct total *t, double value)
{
	const double round = 0x1.8p52;
	double millionths = value * TOTAL_PER_ONE + round - round;

	if (value < 2147483648.0 && value > -2147483648.0 &&
	    millionths / TOTAL_PER_ONE == value)
		t->millionths += (int64_t)millionths;
	else
		total_add_other(t, value);
}

/* Add all that was added to from. */
void total_merge(struct total *t, const struct total *from);

/* A number, and a number of millionths, as a total. */
struct total total_of(double value);
struct total total_of_millionths(__int128 millionths);

/* The double nearest to the total. */
double total_value(const struct total *t);

/* Read the n bytes at p, a JSON number, as millionths, exactly. False: it has
 * an exponent, more than six digits of a fraction, or more than 30 in all. */
bool total_parse(const char *p, size_t n, __int128 *millionths);

#endif
