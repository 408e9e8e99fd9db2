/* SPDX-License-Identifier: MIT */
/* store_instance: the pushers that feed one run at the same time. */
#ifndef K6PIPE_K6SERVE_STORE_STORE_INSTANCE_H
#define K6PIPE_K6SERVE_STORE_STORE_INSTANCE_H

#include "k6serve/store/store.h"

struct store_instance {
	int64_t run;
	struct span name, results;
	struct span id;		/* tells those of one name apart; n 0: none */
	int run_status;		/* RUN_RUNNING: it has not told its end */
	int result_status;
	int64_t seen_ns;
};

/* Keep the state of one, in the place of an earlier one: of the same id, and,
 * if this one is new, of those of its name that have told their end.
 * STORE_NO_RUN: the owner has no such run. STORE_TOO_MUCH: the name or the id
 * is more than one line, or the results are too large. */
enum store_result store_instance_put(struct store *s, const char *owner,
    const struct store_instance *i, struct why *why);

/* How many others of its name have not told their end. -1: why. */
int64_t store_instance_namesakes(struct store *s,
    const struct store_instance *i, struct why *why);

/* Hand out each of run, by name; what it points to dies with the call. A
 * return other than 0 ends the walk with that value; -1 is a failure. */
struct store_instance_query {
	const char *owner;
	int64_t run;
};
typedef int store_instance_each(void *ctx, const struct store_instance *i);
int store_instances(struct store *s, const struct store_instance_query *q,
    store_instance_each *each, void *ctx, struct why *why);

#endif
