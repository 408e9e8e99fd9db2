/* SPDX-License-Identifier: MIT */
/* aggregate: requests of one bucket and tag set, folded into one. */
#ifndef K6PIPE_DATA_AGGREGATE_H
#define K6PIPE_DATA_AGGREGATE_H

#include <stdint.h>

#include "data/hist.h"
#include "data/trail.h"

/* One timing of the requests that were folded. */
struct fold {
	int64_t min_ns, max_ns;
	__int128 sum_ns;
	struct hist hist;	/* of milliseconds */
};

/* Requests of one time bucket and tag set, folded into one sample. */
struct aggregate {
	int64_t time_ns;	/* middle of the bucket */
	int64_t period_ns;	/* its length; 0: not said */
	const struct tagset *tags;
	uint64_t count;		/* requests */
	uint64_t failed_count;	/* those with http_req_failed */
	uint64_t failed_nonzero;	/* of them, those that failed */
	struct fold timing[TIMINGS];	/* hist may be empty: not sent */
};

void aggregate_release(struct aggregate *a);

/* Fold n more requests in. */
void aggregate_add_all(struct aggregate *a, const struct trail *const *trails,
    size_t n, struct hist_tally *scratch);

/* Fold all requests of `from`, of the same bucket and tag set, into a. If one
 * of the two lacks a histogram, the sum has none. */
void aggregate_merge(struct aggregate *a, const struct aggregate *from);

/* Average of one timing over count > 0 requests, in milliseconds. */
double fold_avg_ms(const struct fold *f, uint64_t count);

#endif
