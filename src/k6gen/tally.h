/* SPDX-License-Identifier: MIT */
/*
 * tally: what the summary and the thresholds know of the samples. Each thread
 * fills one of its own and moves it to the run's now and then.
 */
#ifndef K6PIPE_K6GEN_TALLY_H
#define K6PIPE_K6GEN_TALLY_H

#include "base/map.h"
#include "data/sink.h"
#include "k6gen/plan.h"

struct check_count {
	int64_t passes, fails;
};

/* Requests that ended alike: with a status, or a reason why not. */
struct outcome {
	int64_t n;
	bool is_failure;	/* no answer */
	char text[];
};

/* Requests of one name. */
struct by_name {
	struct sink durations;
	int64_t failed;
	char text[];
};

struct tally {
	const struct plan *plan;
	struct sink sinks[EMITTED];
	struct hist_tally *counts;	/* of them, what their histograms do
					   not have yet; owned; NULL: none */
	struct sink subs[MOST_SUBMETRICS];	/* as the plan's */
	struct check_count *checks;	/* as the plan's; owned */
	int64_t points, requests;
	int64_t complete, interrupted;	/* iterations */
	int64_t starved;	/* those that waited for a target */
	int64_t unanswered;	/* requests, when the run ended */
	struct map outcomes, names;	/* struct outcome, by_name; owned */
};

void tally_init(struct tally *t, const struct plan *plan);
void tally_release(struct tally *t);

/* Count a sample, also in those of the submetrics in subs that are of its
 * metric. */
void tally_add(struct tally *t, enum emitted which, double value,
    int64_t time_ns, uint64_t subs);

/* The same of a trend's time; tally_move counts it in the histogram. */
void tally_add_ns(struct tally *t, enum emitted which, int64_t ns,
    int64_t time_ns, uint64_t subs);

/* Where requests that ended with that status (0: for that reason), or have that
 * name, are counted; owned by the tally as long as it lives. Of very many
 * names, the later ones share one. */
struct outcome *tally_outcome(struct tally *t, int status,
    const char *reason);
struct by_name *tally_name(struct tally *t, const char *name);

/* Add all of from to t, and empty from. */
void tally_move(struct tally *t, struct tally *from);

/* The values that a threshold is about. */
const struct sink *tally_sink(const struct tally *t, const struct limit *l);

#endif
