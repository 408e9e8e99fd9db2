/* SPDX-License-Identifier: MIT */
/*
 * store_lease: of all k6serve on a database, only one at a time does a kind of
 * periodic work. It holds a lease, which expires by the clock of the database
 * unless it is renewed, and which gets another number, its fence, each time
 * that it is taken anew. At its end a transaction of that work checks that the
 * lease still has that number, so that a server that was paused does nothing
 * late. A file has one k6serve, which always holds the lease.
 */
#ifndef K6PIPE_K6SERVE_STORE_STORE_LEASE_H
#define K6PIPE_K6SERVE_STORE_STORE_LEASE_H

#include "k6serve/store/store.h"

enum {
	STORE_LEASE_MS = 5000,		/* until it ends */
	STORE_LEASE_RENEW_MS = 1000,	/* between two calls */
};

/* Kinds of work; a store is for one of them. */
extern const char store_lease_chores[], store_lease_hooks[];

/* Take the lease, or renew it. 1: it is ours; 0: another k6serve has it; -1:
 * why that is not known. */
int store_lease_hold(struct store *s, const char *name, struct why *why);

/* Give it up at once, so that another takes it. */
void store_lease_drop(struct store *s);

/* The number of the lease when it was last ours; 0: it never was. */
int64_t store_lease_fence(const struct store *s);

/* Within a transaction: is the lease still ours? Then nobody else gets it
 * before the transaction ends. 1, 0, or -1 and why. */
int store_lease_check(struct store *s, struct why *why);

/* Did a transaction find, since the last call, that it is not? */
bool store_lease_was_lost(struct store *s);

/* Begin a transaction that store_commit undoes, and fails, if the lease is not
 * ours any more. 0, or -1 and why. */
int store_chore_begin(struct store *s, struct why *why);

#endif
