/* SPDX-License-Identifier: MIT */
/*
 * judge: the thresholds of one run, wherever they are named (an option, the
 * Metric lines, a Start line, a server's JSON), and what its samples say of
 * them. A threshold that is named twice is one.
 */
#ifndef K6PIPE_DATA_JUDGE_H
#define K6PIPE_DATA_JUDGE_H

#include "base/map.h"
#include "data/sample.h"
#include "data/stream.h"
#include "data/threshold.h"

/* The samples of one key. */
struct judge_key {
	struct threshold_key key;
	struct judge_key *next;		/* of the same metric */
	struct sink sink;
	bool has_type;
	bool is_folded;		/* some of its values come in aggregates */
};

struct verdict {
	struct threshold threshold;
	struct judge_key *of;
	char *text;		/* owned: what the threshold borrows */
	bool is_asked;		/* by an option, not by the stream */
	bool aborts_here;	/* an option has it with abortOnFail */
	bool ends_generator;	/* the stream has */
	bool is_failed;		/* as it was judged last */
	bool is_told;		/* is_failed is the generator's own word */
	bool is_misfit;		/* the metric has no such method */
};

/* A zeroed struct has no thresholds and costs nothing. */
struct judge {
	struct verdict **list;		/* each owned */
	size_t n, cap;
	struct map by_metric;		/* first judge_key of a metric; owned */
	struct map submetrics;		/* char *, owned: named by k6, and not
					 * with which threshold */
	/* Times of samples: the first, the latest, the latest end of an
	 * aggregate, which comes later than points of the same time do. */
	int64_t first_ns, latest_ns, folded_ns;
	int64_t due_ns;		/* of judge_clock */
	bool has_first, has_folded, has_clock;
	bool aborts;		/* one of the list has aborts_here */
	struct buf key, source;		/* scratch */
};

void judge_release(struct judge *j);

/* Add METRIC=EXPR as threshold_parse takes it. -1: it is none, or a built-in
 * metric has no such method. */
int judge_add_option(struct judge *j, const char *text, struct why *why);

/* Add those of {"metric":["p(95)<300", {"threshold":"avg<9", "abortOnFail":
 * true, "delayAbortEval":"10s"}]}, as in a Start line. -1: one is none; those
 * before it are added. */
int judge_add_json(struct judge *j, struct span object, struct why *why);

/* Add those of a Metric line's data, and learn the metric's type. Each line
 * of a metric may come again. -1: one is none. */
int judge_add_metric(struct judge *j, struct span data, struct why *why);

/* Take what the generator's End line says of thresholds that are known:
 * {"metric":{"source":is_failed}}. It saw each value, and counts more. */
void judge_take_results(struct judge *j, struct span object);

/* Count a point, or an aggregate. */
void judge_add_point(struct judge *j, const struct point *p);
void judge_add_sample(struct judge *j, const struct sample *s);

/* Count the values of a sink that adds up all samples of a metric (tags NULL:
 * for keys without tags), or those with one tag set (for keys with tags). */
void judge_add_sink(struct judge *j, struct span metric,
    const struct tagset *tags, const struct sink *sink);

/* Every 2 s of some clock, the caller's or the stream's, those thresholds are
 * judged that an option has with abortOnFail; those of the stream end its
 * generator, which judges them itself. How long the run has lasted is what its
 * samples say. Returns one that is crossed, past its delayAbortEval, and failed
 * from then on; or NULL. */
const struct verdict *judge_clock(struct judge *j, int64_t time_ns);

/* Of a stream that is over and was judged: a threshold of its own, past its
 * delayAbortEval, is crossed that ends the generator. */
bool judge_ended_generator(const struct judge *j);

/* Judge all of a run that is over: seconds is how long it lasted, for rates of
 * counters. Returns how many are crossed. One without samples is judged as
 * threshold_held has it, a rate of a metric whose type nobody told holds;
 * judge_has_samples tells. judge_so_far: of a run that goes on, where one
 * without samples holds. */
size_t judge_all(struct judge *j, double seconds);
size_t judge_so_far(struct judge *j, double seconds);
bool judge_has_samples(const struct verdict *v);

/* What was measured, for the left side of the assertion. */
double judge_measure(const struct verdict *v, double seconds);

/* The next submetric that k6's Metric lines name whose threshold is known from
 * nowhere: k6 writes none of them. *at starts at 0; NULL: no more. */
const char *judge_next_untold(const struct judge *j, size_t *at);

/* For a message about one: "thresholds of NAME" and this. */
#define JUDGE_UNTOLD_WHY "are not in the stream, as k6 does not write them: " \
	"give them with --threshold"

/* As JSON objects, for a run's create call and for its finish call. A plan has
 * k6's object for those with abortOnFail if the server is to judge. Results
 * lack those of which the metric has no such method. */
void judge_print_plan(const struct judge *j, bool is_server_to_judge,
    struct buf *out);
void judge_print_results(const struct judge *j, struct buf *out);

#endif
