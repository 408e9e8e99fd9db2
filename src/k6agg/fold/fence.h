/* SPDX-License-Identifier: MIT */
/* fence: between which bounds a duration is ordinary (PROTOCOL 4). */
#ifndef K6PIPE_K6AGG_FOLD_FENCE_H
#define K6PIPE_K6AGG_FOLD_FENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fence_rule {
	int64_t algo_threshold;	/* from so many values on: no interpolation */
	double radius;		/* quartiles at 0.5 - radius, 0.5 + radius */
	double coef_lower;	/* fences stand so many interquartile ranges */
	double coef_upper;	/* below the one and above the other */
};

struct fence {
	int64_t min, max;	/* both inside */
};

/* The fences around n > 0 values, which are sorted in place. */
struct fence fence_of(const struct fence_rule *rule, int64_t *values,
    size_t n);

bool fence_holds(const struct fence *f, int64_t value);

#endif
