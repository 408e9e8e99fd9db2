/* SPDX-License-Identifier: MIT */
/*
 * chores: runs that fell silent time out, and old ones go. Nobody is judged by
 * the wall clock, which may jump: what happened since the start is measured
 * with other clocks, and only for what happened before is the wall clock asked,
 * once, at the start.
 */
#ifndef K6PIPE_K6SERVE_STORE_CHORES_H
#define K6PIPE_K6SERVE_STORE_CHORES_H

#include "k6serve/store/store.h"

/* Constant while the writer's thread runs. */
struct chores_config {
	int64_t timeout_ns;	/* silence after which a run is timed out */
	int64_t keep_ns;	/* age at which a run is removed; 0: never */
	int64_t keep_bytes;	/* of the data; past it the oldest runs are
				   removed; 0: never */
};

/* Now, by three clocks. */
struct chores_time {
	int64_t unix_ns;
	int64_t awake_ns;	/* stands while the machine is suspended */
	int64_t all_ns;		/* goes on then */
};

struct chores_time chores_now(void);

struct chores;

/* start: when the server began to listen. config is copied. */
struct chores *chores_new(const struct chores_config *config,
    const struct chores_time *start);
void chores_free(struct chores *c);

/* Look after the runs; to be called about twice a second. 0, or -1 and why:
 * what was left undone is done by a later call. */
int chores_do(struct chores *c, struct store *s, const struct chores_time *now,
    struct why *why);

#endif
