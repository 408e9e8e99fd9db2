/* SPDX-License-Identifier: MIT */
/*
 * tally: what the summary and the thresholds know of the samples. Each thread
 * fills one of its own and moves it to the run's now and then.
 */
#ifndef K6PIPE_K6GEN_TALLY_H
#define K6PIPE_K6GEN_TALLY_H

#include "data/sink.h"
#include "k6gen/plan.h"

struct check_count {
	int64_t passes, fails;
};

struct tally {
	const struct plan *plan;
	struct sink sinks[EMITTED];
	struct sink subs[MOST_SUBMETRICS];	/* as the plan's */
	struct check_count *checks;	/* as the plan's; owned */
	int64_t points, requests;
	int64_t complete, interrupted;	/* iterations */
};

void tally_init(struct tally *t, const struct plan *plan);
void tally_release(struct tally *t);

/* Count a sample, also in those of the submetrics in subs that are of its
 * metric. */
void tally_add(struct tally *t, enum emitted which, double value,
    int64_t time_ns, uint64_t subs);

/* Add all of from to t, and empty from. */
void tally_move(struct tally *t, struct tally *from);

/* The values that a threshold is about. */
const struct sink *tally_sink(const struct tally *t, const struct limit *l);

#endif
