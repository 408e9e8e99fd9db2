/* SPDX-License-Identifier: MIT */
/* random: the same numbers in each run, so that a failure comes back. */
#ifndef K6PIPE_TESTS_RANDOM_H
#define K6PIPE_TESTS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

static uint64_t random_state = 88172645463325252U;

static inline uint64_t
random_bits(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * 0x2545f4914f6cdd1dU;
}

/* 0 .. n - 1 */
static inline uint64_t
random_below(uint64_t n)
{
	return random_bits() % n;
}

/* Numbers in any other order. */
static inline void
random_shuffle(double *values, size_t n)
{
	double swap;
	size_t k;

	for (; n > 1; n--) {
		k = (size_t)random_below(n);
		swap = values[n - 1];
		values[n - 1] = values[k];
		values[k] = swap;
	}
}

/* 0 <= r < 1 */
static inline double
random_real(void)
{
	return (double)(random_bits() >> 11) * 0x1p-53;
}

#endif
