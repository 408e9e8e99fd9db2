/* SPDX-License-Identifier: MIT */
/*
 * cache: answers about a run, until the run changes. So a hundred people who
 * look at a live run cost little more than one.
 */
#ifndef K6PIPE_K6SERVE_VIEW_CACHE_H
#define K6PIPE_K6SERVE_VIEW_CACHE_H

#include <pthread.h>
#include <stdint.h>

#include "base/buf.h"

enum { CACHE_ENTRIES = 64 };

struct cache_entry {
	struct buf key;		/* n 0: free */
	struct buf body;
	int64_t version;	/* the run's */
	int run_status;
	uint64_t used;		/* when, in calls of cache_get */
};

/* From any thread, between cache_init and cache_release. */
struct cache {
	pthread_mutex_t lock;	/* of what follows */
	struct cache_entry entry[CACHE_ENTRIES];
	uint64_t calls;
};

void cache_init(struct cache *c);

/* Append the answer of that key for a run of that version and state. False:
 * there is none. */
bool cache_get(struct cache *c, struct span key, int64_t version,
    int run_status, struct buf *body);

/* Keep a copy of an answer in place of the one that was not used for longest.
 * A large one is not kept. */
void cache_put(struct cache *c, struct span key, int64_t version,
    int run_status, struct span body);

void cache_release(struct cache *c);

#endif
