/* SPDX-License-Identifier: MIT */
/* dice: pseudo-random numbers, the same ones for the same seed. */
#ifndef K6PIPE_K6GEN_TARGETS_DICE_H
#define K6PIPE_K6GEN_TARGETS_DICE_H

#include <stdint.h>

/* splitmix64 (Steele, Lea, Flood 2014): one counter, mixed. */
struct dice {
	uint64_t state;
};

static inline uint64_t
dice_next(struct dice *d)
{
	uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* One of lo..hi, both included, hi >= lo; each as likely as the others, but
 * for one part in 2^64 / (hi - lo). */
static inline int64_t
dice_range(struct dice *d, int64_t lo, int64_t hi)
{
	uint64_t n = (uint64_t)hi - (uint64_t)lo + 1, r = dice_next(d);

	return n == 0 ? (int64_t)r : (int64_t)((uint64_t)lo +
	    (uint64_t)(((unsigned __int128)r * n) >> 64));
}

#endif
