/* SPDX-License-Identifier: MIT */
/*
 * buckets: the open time buckets of protocol 2. Each will be a parcel; until
 * then its values are in memory, and the lines they came from are that
 * parcel's pieces in the journal.
 */
#ifndef K6PIPE_K6PUSH_READ_OPEN_BATCHES_H
#define K6PIPE_K6PUSH_READ_OPEN_BATCHES_H

#include <stdatomic.h>

#include "k6push/read/series_collect.h"
#include "k6push/wire/numbers.h"
#include "k6push/wire/packer.h"

struct open_bucket {
	int64_t id;		/* time / period, toward zero */
	struct parcel *parcel;
	struct buf lines;	/* not yet in the journal */
};

/* A zeroed struct is none. */
struct buckets {
	struct gather gather;
	struct packer *packer;
	struct journal *journal;	/* NULL: none */
	struct numbers *numbers;	/* of batches; shared with the uploader */
	struct open_bucket *open;
	size_t n, cap;
	size_t last;		/* of the line before */
};

/* Begin; packer, journal and numbers are to be set before the first line.
 * -1: the settings are not those of protocol 2. */
int buckets_init(struct buckets *b, const struct settings *s,
    struct metrics *metrics, struct why *why);
void buckets_release(struct buckets *b);

/* Bring the lines to the journal. -1: the disk does not take them; they wait,
 * and it may be tried again. */
int buckets_keep(struct buckets *b, struct why *why);

/* Hand the buckets that are due, or all, to the packer. */
void buckets_take(struct buckets *b, bool is_all);

/* Go on with another period and wait; what is open is cut where it is. */
void buckets_set(struct buckets *b, int64_t period_ns, int64_t wait_ns);

/* Throw all away; its amount is added to lost. */
void buckets_drop(struct buckets *b, struct amount *lost);

#endif
