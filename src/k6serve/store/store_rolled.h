/* SPDX-License-Identifier: MIT */
/* store_rolled: how far a run is rolled up, and so where a value goes. */
#ifndef K6PIPE_K6SERVE_STORE_STORE_ROLLED_H
#define K6PIPE_K6SERVE_STORE_STORE_ROLLED_H

#include <stdint.h>

enum {
	STORE_TENS_S = 10,	/* the steps that points are joined to */
	STORE_MINUTES_S = 60,
	/* ends of what is rolled up are multiples of that */
	STORE_ROLLED_S = STORE_MINUTES_S,
};

/* Points of seconds before these have such a step; 0: none has. */
struct store_rolled {
	int64_t tens_to, minutes_to;
};

/* The second that a point has which takes the values of a second. */
int64_t store_rolled_second(const struct store_rolled *rolled,
    int64_t second);

/* Up to where points have that step, or a longer one; 0: none has. */
int64_t store_rolled_to(const struct store_rolled *rolled, int64_t step_s);

#endif
