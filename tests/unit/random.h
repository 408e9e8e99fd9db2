/* SPDX-License-Identifier: MIT */
/* random: the same numbers in each run, so that a failure comes back. */
#ifndef K6PIPE_TESTS_RANDOM_H
#define K6PIPE_TESTS_RANDOM_H

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

/* 0 <= r < 1 */
static inline double
random_real(void)
{
	return (double)(random_bits() >> 11) * 0x1p-53;
}

#endif
