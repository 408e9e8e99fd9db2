/* SPDX-License-Identifier: MIT */
/*
 * load: one thread's share of the virtual users and their iterations. Of n
 * shares the i-th has VUs i, i + n, i + 2n ... and, where starts come by the
 * clock, those starts.
 */
#ifndef K6PIPE_K6GEN_LOAD_LOAD_H
#define K6PIPE_K6GEN_LOAD_LOAD_H

#include <pthread.h>
#include <stdbool.h>

#include "base/why.h"
#include "k6gen/plan.h"
#include "k6gen/samples/emit.h"
#include "k6gen/tally.h"

enum load_stop { LOAD_GO, LOAD_STOP, LOAD_KILL };

/* What all threads share, and how they stand. */
struct load_shared {
	const struct plan *plan;
	int64_t begin_ns;	/* monotonic; of the first iteration */
	int64_t begun;		/* iterations; atomic */
	int64_t requests;	/* sent; atomic */
	int64_t rows;		/* taken; atomic */
	int64_t errors_left;	/* responses to show; atomic */
	int stop;		/* enum load_stop; atomic */
	pthread_mutex_t lock;	/* of what follows */
	pthread_cond_t ended;	/* a thread is done */
	int64_t end_ns;		/* monotonic, of the last one so far */
	struct tally tally;
	int active;		/* VUs, by all threads */
	int running;		/* threads */
	int64_t lag_ns;		/* longest since it was read */
	double cpu_percent;	/* of the busiest thread, the last time */
};

struct load;

/* Share i of n. Everything is borrowed until load_free. NULL: why. */
struct load *load_new(struct load_shared *shared, struct writer *writer,
    int i, int n, struct why *why);
void load_free(struct load *l);	/* NULL is allowed */

/* Run the share to its end, in the thread that calls. What was made is told
 * in shared, all of it on return. -1: why, the wait failed. */
int load_run(struct load *l, struct why *why);

/* Let it look at shared->stop. From any thread. */
void load_wake(struct load *l);

#endif
