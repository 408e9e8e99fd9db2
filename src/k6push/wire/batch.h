/* SPDX-License-Identifier: MIT */
/*
 * batch: samples that travel together: one request's body. Cut once, with
 * its number and idempotency key, it keeps both over all tries, splits and
 * restarts.
 */
#ifndef K6PIPE_K6PUSH_WIRE_BATCH_H
#define K6PIPE_K6PUSH_WIRE_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "k6push/journal/journal.h"

/* Points of the stream, and the HTTP requests among them. */
struct amount {
	uint64_t points, requests;
};

struct batch {
	struct batch *next;
	struct journal_batch id;	/* number, key, what is in it */
	struct journal_place place;	/* in the journal; segment 0: not yet */
	struct buf body;		/* as it is kept; empty: at place */
	bool is_plain;			/* body is not yet packed */
	bool is_loose;			/* only in memory */
	size_t loose_bytes;		/* as the packer counts it */
	bool is_in_flight;
	int tries;
};

/* Batches in the order of their numbers. A zeroed struct is empty. */
struct batches {
	struct batch *first, *last;
	uint64_t n;
	size_t bytes;		/* of bodies in memory */
};

/* A fresh idempotency key: 16 hex digits (PROTOCOL 3.1). */
void idempotency_key(char key[KEY_TEXT]);

/* A fresh batch with a random key; number as given. */
struct batch *batch_new(uint64_t number);
void batch_free(struct batch *p);	/* NULL is none */

/* The n-th (0, 1) part of whole, its key derived from that of whole, so that
 * a second split gives the same. It has no number yet. */
struct batch *batch_part(const struct batch *whole, int n);

/* Put a batch behind those with smaller numbers; take it out again. */
void batches_add(struct batches *list, struct batch *p);
void batches_remove(struct batches *list, struct batch *p);
void batches_release(struct batches *list);

/* p's body is another one now, or gone: keep list->bytes right. */
void batches_set_body(struct batches *list, struct batch *p,
    struct buf body);

struct amount batches_amount(const struct batches *list, bool only_loose);

#endif
