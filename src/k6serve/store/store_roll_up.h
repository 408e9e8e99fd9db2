/* SPDX-License-Identifier: MIT */
/*
 * store_roll_up: old seconds of a run become longer steps. How far that went is
 * in the run's row: first it is noted that the points of some seconds are to be
 * joined, with the step that figures of the run have from then on, then series
 * after series is joined, in as many transactions as it takes. What comes in
 * for such a second from the note on goes to the point that stands for it.
 */
#ifndef K6PIPE_K6SERVE_STORE_STORE_ROLL_UP_H
#define K6PIPE_K6SERVE_STORE_STORE_ROLL_UP_H

#include "data/metric.h"
#include "k6serve/store/store.h"
#include "k6serve/store/store_rolled.h"

/* Some series of a run in the order of their numbers, as they were read. */
enum { STORE_ROLL_UP_PAGE = 1024 };
struct store_roll_up_page {
	struct {
		int64_t id;
		enum metric_type type;
	} series[STORE_ROLL_UP_PAGE];
	int n, done;		/* series; how many of them are done */
};

/* What is to be done: comes with the first three members set, the rest
 * zeroed. */
struct store_roll_up {
	int64_t run;
	int64_t step_s;		/* of a point; 0: only end what was begun */
	int64_t until;		/* of seconds before that; a multiple */
	int64_t from, to;	/* what is being joined, */
	int64_t series;		/* the last series of which it is done, */
	struct store_roll_up_page page;	/* and what is next */
};

/* Join points of each series of a run, series by series, in one transaction,
 * until an hour of them is done or the monotonic clock passes until_ns. Counts,
 * least and greatest values and histograms are added up exactly, sums to a
 * millionth; what the run has as a whole is not touched.
 * 1: there is more; 0: it is done, or the run is gone; -1: why, nothing was
 * changed. */
int store_roll_up(struct store *s, struct store_roll_up *r, int64_t until_ns,
    struct why *why);

#endif
