/* SPDX-License-Identifier: MIT */
/*
 * open_batches: the open time buckets of protocol 2. Each will be a batch;
 * until then its values are in memory, and the lines they came from are that
 * batch's pieces in the journal.
 */
#ifndef K6PIPE_K6PUSH_READ_OPEN_BATCHES_H
#define K6PIPE_K6PUSH_READ_OPEN_BATCHES_H

#include <stdatomic.h>

#include "k6push/read/cutter.h"
#include "k6push/read/open_batch.h"
#include "k6push/read/series_collect.h"
#include "k6push/wire/numbers.h"
#include "k6push/send/packer.h"

/* A zeroed struct is none. */
struct open_batches {
	struct series_collect collect;
	struct packer *packer;
	struct journal *journal;	/* NULL: none */
	struct numbers *numbers;	/* shared with the uploader */
	struct open_batch *open;
	size_t n, cap;
	size_t last;		/* of the line before */
	struct by_series taker;
};

/* Begin; packer, journal and numbers are to be set before the first line.
 * -1: the settings are not those of protocol 2. */
int open_batches_init(struct open_batches *b, const struct settings *s,
    struct metrics *metrics, struct why *why);
void open_batches_release(struct open_batches *b);

/* How the reader cuts them. */
struct cutter open_batches_cutter(struct open_batches *b);

/* Go on with another period and wait; what is open is cut where it is. */
void open_batches_set(
    struct open_batches *b, int64_t period_ns, int64_t wait_ns);

#endif
