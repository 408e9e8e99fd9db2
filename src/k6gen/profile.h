/* SPDX-License-Identifier: MIT */
/*
 * profile: how many VUs, or starts a second, are wanted over time: straight
 * lines from stage to stage, as k6's stages are.
 */
#ifndef K6PIPE_K6GEN_PROFILE_H
#define K6PIPE_K6GEN_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/why.h"

struct stage {
	int64_t begin_ns, end_ns;	/* since the profile's begin */
	double from, to;
	double before;		/* the integral up to its begin, in units */
};

/* A zeroed struct is empty. */
struct profile {
	struct stage *stages;	/* owned */
	size_t n, cap;
};

void profile_release(struct profile *p);

/* Add a stage behind the others. A duration of 0 is a jump. */
void profile_add(struct profile *p, int64_t duration_ns, double from,
    double to);

/* k6's --stage: DURATION:TARGET, several with commas in between, as 10s:20;
 * the first begins at `from` unless the profile has stages. -1: why. */
int profile_parse_stages(struct profile *p, const char *text, double from,
    struct why *why);

/* Rates. A constant one is N/UNIT, as 500/s, 30/m or 100/10s, and has no end:
 * its rate goes to *constant. Stages are [FROM..]TO/DURATION, with commas in
 * between, and go to p. A stage begins where the one before ended; the first
 * without FROM at its own TO. -1: why. */
int profile_parse_rate(struct profile *p, const char *text, double *constant,
    struct why *why);

/* Nanoseconds until the end. */
int64_t profile_duration(const struct profile *p);

/* The largest value. */
double profile_max(const struct profile *p);

/* The value at a time; 0 at the end and later. */
double profile_at(const struct profile *p, int64_t ns);

/* The integral over time up to ns: starts, if values are starts a second. */
double profile_sum(const struct profile *p, int64_t ns);

/* When the integral reaches n; INT64_MAX: never. */
int64_t profile_when(const struct profile *p, double n);

#endif
