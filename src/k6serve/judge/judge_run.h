/* SPDX-License-Identifier: MIT */
/*
 * judge_run: judges the thresholds of a run over all of its pushers: on the
 * merged histograms and counters.
 */
#ifndef K6PIPE_K6SERVE_JUDGE_JUDGE_RUN_H
#define K6PIPE_K6SERVE_JUDGE_JUDGE_RUN_H

#include "base/buf.h"
#include "data/judge.h"
#include "k6serve/store/store_verdict.h"

/* What a look at a run came to. A zeroed struct is nothing. */
struct judged {
	struct judge judge;
	struct store_verdict *list;	/* owned; texts are the judge's */
	struct buf results;
	struct store_verdicts verdicts;
	size_t n_planned;	/* also those that are none here */
	bool aborts;		/* a threshold with abortOnFail is crossed */
};

/* Judge a run of anybody, as the store has it now; nothing is written. 1; 0:
 * there is no such run, or it has no thresholds; -1: why. */
int judge_run(struct store *s, int64_t run, struct judged *out,
    struct why *why);

/* Write it down, and end the run (run_status 8) if it aborts. */
enum store_result judged_put(struct store *s, const struct judged *j,
    struct why *why);

void judged_release(struct judged *j);

#endif
