/* SPDX-License-Identifier: MIT */
/*
 * parcel: samples that travel together: one request's body. Cut once, with
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

struct parcel {
	struct parcel *next;
	struct journal_batch id;	/* number, key, what is in it */
	struct journal_place place;	/* in the journal; segment 0: not yet */
	struct buf body;		/* as it is kept; empty: at place */
	bool is_plain;			/* body is not yet packed */
	bool is_loose;			/* only in memory */
	size_t loose_bytes;		/* as the packer counts it */
	bool is_in_flight;
	int tries;
};

/* Parcels in the order of their numbers. A zeroed struct is empty. */
struct parcels {
	struct parcel *first, *last;
	uint64_t n;
	size_t bytes;		/* of bodies in memory */
};

/* A fresh parcel with a random key; number as given. */
struct parcel *parcel_new(uint64_t number);
void parcel_free(struct parcel *p);	/* NULL is none */

/* The n-th (0, 1) part of whole, its key derived from that of whole, so that
 * a second split gives the same. It has no number yet. */
struct parcel *parcel_part(const struct parcel *whole, int n);

/* Put a parcel behind those with smaller numbers; take it out again. */
void parcels_add(struct parcels *list, struct parcel *p);
void parcels_remove(struct parcels *list, struct parcel *p);
void parcels_release(struct parcels *list);

/* p's body is another one now, or gone: keep list->bytes right. */
void parcels_set_body(struct parcels *list, struct parcel *p,
    struct buf body);

struct amount parcels_amount(const struct parcels *list, bool only_loose);

#endif
