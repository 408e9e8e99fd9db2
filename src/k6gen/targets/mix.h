/* SPDX-License-Identifier: MIT */
/* mix: which target comes at which turn, if targets have weights. */
#ifndef K6PIPE_K6GEN_TARGETS_MIX_H
#define K6PIPE_K6GEN_TARGETS_MIX_H

#include <stddef.h>
#include <stdint.h>

#include "base/why.h"

/* The turns of a round. A zeroed struct has none. */
struct mix {
	uint32_t *turns;	/* numbers of targets; owned */
	size_t n;
};

/* Make a round of n targets, each of which comes weights[i] (1 or more) times,
 * or an equal fraction of all of them, spread evenly: 3 and 1 give 0 0 1 0.
 * Equal weights give 0 to n - 1. -1: why, the round would be too long. */
int mix_make(struct mix *m, const int64_t *weights, size_t n, struct why *why);
void mix_release(struct mix *m);

#endif
