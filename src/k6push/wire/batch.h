/* SPDX-License-Identifier: MIT */
/*
 * batch: samples that are sent together, as one request's body. It gets its
 * number and idempotency key when it is cut, and keeps both over all tries and
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

/* A batch on disk, the parts of which are sent in its stead. It stands for
 * those of them that are not on disk themselves. */
struct whole {
	struct journal_batch id;
	struct journal_place place;
	uint64_t order;
	struct whole *above;	/* NULL, or what it is itself a part of */
	int n_parts;		/* that it still stands for */
};

struct batch {
	struct batch *next;
	struct journal_batch id;	/* number, key, what is in it */
	uint64_t order;			/* it goes before any higher one */
	struct journal_place place;	/* in the journal; segment 0: not yet */
	struct buf body;		/* as it is kept; empty: at place */
	bool is_plain;			/* body is not yet packed */
	bool is_loose;			/* its body is only in memory */
	struct whole *whole;		/* it can be made of that; or NULL */
	int64_t not_before_ns;		/* monotonic; it is not sent earlier */
	size_t loose_bytes;		/* as the packer counts it */
	bool is_noted;			/* in the journal, how much is in it */
	bool is_in_flight;
	bool may_be_there;		/* it was sent, its key not withdrawn */
	bool is_found;			/* an earlier process left it */
	bool is_unsure;			/* nobody knows what became of a try */
	struct amount cut;		/* it had, and its pieces do not */
	int tries;
	uint64_t failed_by;	/* hash of the last answer of failure */
	int failed_alike;	/* so often in a row; */
	int64_t failing_ns;	/* since then */
};

/* Batches by order and number. A zeroed struct is empty. */
struct batches {
	struct batch *first, *last;
	uint64_t n;
	size_t bytes;		/* of bodies in memory */
};

/* A fresh idempotency key: 16 hex digits (PROTOCOL 3.1). */
void idempotency_key(char key[KEY_TEXT]);

/* A fresh batch with a random key; number and order as given. */
struct batch *batch_new(uint64_t number);
void batch_free(struct batch *p);	/* NULL is none */

/* The n-th (0, 1) part of whole, its key derived from that of whole, so that
 * a second split gives the same. It has no number yet. */
struct batch *batch_part(const struct batch *whole, int n);

/* Make p, which is to be split, a whole, with no parts yet. The caller owns
 * it until it has parts. */
struct whole *whole_new(struct batch *p);

typedef void whole_done(void *ctx, const struct whole *w);

/* p is on disk by itself, or done with: its whole stands for it no longer. A
 * whole that stands for nothing more goes; done (or NULL) is called before. */
void batch_leave_whole(struct batch *p, whole_done *done, void *ctx);

/* Put a batch behind those that are to go before it; take it out again. */
void batches_add(struct batches *list, struct batch *p);
void batches_remove(struct batches *list, struct batch *p);
void batches_release(struct batches *list);

/* p's body is another one now, or gone: keep list->bytes right. */
void batches_set_body(struct batches *list, struct batch *p,
    struct buf body);

/* only_loose: what would be lost with this process. */
struct amount batches_amount(const struct batches *list, bool only_loose);

#endif
