/* SPDX-License-Identifier: MIT */
/*
 * criteria: the thresholds of a run and their results, as its client reported
 * them and as judged here; and the verdict that follows.
 */
#ifndef K6PIPE_K6SERVE_VIEW_CRITERIA_H
#define K6PIPE_K6SERVE_VIEW_CRITERIA_H

#include "data/jsn.h"
#include "k6serve/store/store_run.h"

enum run_verdict {
	VERDICT_PENDING,	/* the run goes on, nothing has failed */
	VERDICT_PASSED,
	VERDICT_FAILED,
	VERDICT_NONE,		/* it has no thresholds */
	VERDICT_UNKNOWN,	/* it did not finish, or nobody judged it */
	VERDICTS,
};

struct criterion {
	char *metric, *source;	/* plain; owned */
	int told;		/* has failed, said the client; -1: nothing */
	int judged;		/* has failed, as judged here; -1: not known */
	bool is_judged;		/* the one below it counts */
	bool is_empty;		/* as judged here: no samples came */
	double value;		/* NaN: not known, or no samples came */
	int64_t crossed_ns;	/* of the data; 0: never, or not known */
};

/* A zeroed struct is empty. */
struct criteria {
	struct criterion *list;
	size_t n, cap;
};

/* Read those of a run. -1: why. */
int criteria_read(struct criteria *c, struct store *s, const char *owner,
    const struct store_run *run, struct why *why);
void criteria_release(struct criteria *c);

/* Has it failed? The word of the client counts, but if the run is judged here;
 * -1: not known. */
int criterion_failed(const struct criterion *c);

/* Write a JSON array. */
void criteria_put(const struct criteria *c, struct jsn_out *o);

/* What the run came to; status is its state as others see it (run_state). */
enum run_verdict criteria_verdict(const struct criteria *c,
    const struct store_run *run, int status);

/* "passed", "failed", "none", "pending", "unknown". */
const char *run_verdict_name(enum run_verdict v);

#endif
