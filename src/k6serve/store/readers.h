/* SPDX-License-Identifier: MIT */
/*
 * readers: the threads that read the database, each by a store of its own. A
 * view of a large run takes seconds; here it keeps neither the server's thread
 * nor the writer from their work. They come after those for the processor, and
 * what they make has a budget: while the answers that are on their way take
 * more memory than that, they begin no other.
 */
#ifndef K6PIPE_K6SERVE_STORE_READERS_H
#define K6PIPE_K6SERVE_STORE_READERS_H

#include "k6serve/store/store.h"

struct readers;

/* All are called on a reader's thread. */
struct readers_job {
	void (*read)(void *ctx, struct store *s);
	/* Does nobody wait for it any more? Asked before it is read, and about
	 * every millisecond while the store works, whose function then
	 * fails. */
	bool (*is_unwanted)(void *ctx);
	void (*done)(void *ctx);	/* at the end, read or not */
	int64_t silence_ms;	/* as store_limit has it */
	void *ctx;
};

/* Start threads that read the file of a store; budget is in bytes. NULL:
 * why. */
struct readers *readers_start(const struct store *store, size_t budget,
    struct why *why);

/* Add a job, which is copied, unless n others wait already. From any thread.
 * False: it was not added. */
bool readers_add(struct readers *r, const struct readers_job *job, size_t n);

/* Abandon their stores (store_abandon). From any thread, before readers_stop
 * returns. */
void readers_abandon(struct readers *r);

/* How many jobs wait. From any thread. */
size_t readers_queued(struct readers *r);

/* The answer that a job made takes so many bytes; it is gone. From any
 * thread. */
void readers_hold(struct readers *r, size_t bytes);
void readers_release(struct readers *r, size_t bytes);

/* Do jobs wait because the answers on their way take too much memory? */
bool readers_are_short(struct readers *r);

/* End what is being read, and all other jobs without reading; no more are
 * added. Then free; NULL is allowed. */
void readers_stop(struct readers *r);
void readers_free(struct readers *r);

#endif
