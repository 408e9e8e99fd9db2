/* SPDX-License-Identifier: MIT */
/* store_slow: the slowest requests of a run. */
#ifndef K6PIPE_K6SERVE_STORE_STORE_SLOW_H
#define K6PIPE_K6SERVE_STORE_STORE_SLOW_H

#include "data/trail.h"
#include "k6serve/store/store.h"

enum { STORE_SLOW = 100 };	/* that many are kept of a run */

/* One request. */
struct store_slow {
	int64_t time_ns;
	int64_t ns[TIMINGS];
	int failed;		/* as in struct trail */
	struct span tags;	/* JSON */
};

/* Hand out each of run, the slowest first; what it points to dies with the
 * call. A return other than 0 ends the walk with that value; -1 is a
 * failure. */
struct store_slow_query {
	const char *owner;
	int64_t run;
};
typedef int store_slow_each(void *ctx, const struct store_slow *slow);
int store_slowest(struct store *s, const struct store_slow_query *q,
    store_slow_each *each, void *ctx, struct why *why);

#endif
