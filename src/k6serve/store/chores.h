/* SPDX-License-Identifier: MIT */
/*
 * chores: times silent runs out, rolls up old seconds, and removes old runs.
 * The wall clock, which may jump, is asked only once, at the start, for what
 * happened before; what happened since is measured with other clocks. There is
 * one exception: for its roll-up, how long a running run has been here is told
 * by when it was created.
 */
#ifndef K6PIPE_K6SERVE_STORE_CHORES_H
#define K6PIPE_K6SERVE_STORE_CHORES_H

#include "k6serve/store/store.h"

/* Constant while the writer's thread runs. */
struct chores_config {
	int64_t timeout_ns;	/* silence after which a run is timed out */
	int64_t keep_ns;	/* age at which a run is removed; 0: never */
	int64_t tens_ns, minutes_ns;	/* age at which the points of a run
					   become those of 10, and of 60 s:
					   that of the seconds of one that is
					   running, and else since it was
					   over; 0: never */
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

/* Go on with what rolls up the runs that chores_do chose, until the monotonic
 * clock passes until_ns. 1: there is more; 0: there is not; -1: why, it is
 * chosen again later. */
int chores_roll_up(struct chores *c, struct store *s, int64_t until_ns,
    struct why *why);

/* Look after the runs; to be called about twice a second. If the work is not
 * ours, but another k6serve's that holds the lease, they are only watched. 0,
 * or -1 and why: what was left undone is done by a later call. */
int chores_do(struct chores *c, struct store *s, const struct chores_time *now,
    bool is_ours, struct why *why);

#endif
