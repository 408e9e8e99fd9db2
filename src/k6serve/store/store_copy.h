/* SPDX-License-Identifier: MIT */
/*
 * store_copy: copies one database into another. A run keeps its number,
 * because others know it by that, and is copied in one transaction: whole, or
 * not at all. What the other database has under the same number or name is
 * compared, and not changed.
 */
#ifndef K6PIPE_K6SERVE_STORE_STORE_COPY_H
#define K6PIPE_K6SERVE_STORE_STORE_COPY_H

#include "k6serve/store/store.h"

enum store_copied {
	STORE_COPY_DONE,
	STORE_COPY_WAS_THERE,	/* with the same content */
	STORE_COPY_GONE,	/* the run was removed meanwhile */
	STORE_COPY_OPEN,	/* the run is not over: not copied */
	STORE_COPY_DIFFERS,	/* why; nothing was changed */
	STORE_COPY_FAILED,	/* why; the database failed, or cannot go on */
};

/* A database without runs becomes one with the same id, as a copy of a file is;
 * and none gives a number to a new run that the other ever gave. 0, or -1 and
 * why. */
int store_copy_begin(struct store *from, struct store *to, struct why *why);

/* To be called after the last run. 0, or -1 and why. */
int store_copy_end(struct store *from, struct store *to, struct why *why);

/* Who is told of tokens. */
struct store_copy_told {
	void (*copied)(void *ctx);	/* one that was not there */
	void (*differs)(void *ctx, const char *token);	/* one whose name or
				   hash has another there: it stays */
	void *ctx;
};

/* Tokens, and the names of load tests. 0, or -1 and why. */
int store_copy_tokens(struct store *from, struct store *to,
    const struct store_copy_told *told, struct why *why);
int store_copy_load_tests(struct store *from, struct store *to,
    struct why *why);

/* The lowest number of a run that is larger. 0: none is; -1: why. */
int64_t store_copy_next(struct store *from, int64_t run, struct why *why);

/* Copy a run, and compare all of it before it is committed; takes_open: also
 * one that is not over. samples: how many it has. */
enum store_copied store_copy_run(struct store *from, struct store *to,
    int64_t run, bool takes_open, int64_t *samples, struct why *why);

#endif
