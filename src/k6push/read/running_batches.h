/* SPDX-License-Identifier: MIT */
/*
 * running_batches: batches of running series, one after the other. One is cut
 * when the stream's time has gone on by the push interval, or, of a stream
 * that stands still, after a while. Series are in lanes, each with a batch of
 * its own, so that batches of two lanes may be sent at the same time.
 */
#ifndef K6PIPE_K6PUSH_READ_RUNNING_BATCHES_H
#define K6PIPE_K6PUSH_READ_RUNNING_BATCHES_H

#include "k6push/read/collect.h"
#include "k6push/read/cutter.h"
#include "k6push/read/open_batch.h"
#include "k6push/read/running.h"
#include "k6push/wire/numbers.h"
#include "k6push/wire/wire_rw.h"

/* Numbers in front of a batch: of the begin of its series, and of the begin of
 * those that are made of its pieces later. */
enum { RUNNING_SPARE = 2 };

struct running_lane {
	struct open_batch open;		/* batch NULL: none; before its number
					 * there are RUNNING_SPARE for marks */
	int64_t begun_ns;		/* monotonic */
	struct running_series **changed;	/* since the last cut */
	size_t n, cap;
};

/* A zeroed struct is none. */
struct running_batches {
	struct running running;
	struct running_lane lanes[WIRE_LANES];
	struct numbers *numbers;	/* shared with the uploader */
	struct journal *journal;	/* NULL: none */
	void (*put)(void *ctx, struct batch *p);	/* gets each batch */
	void *put_ctx;
	int64_t slot;			/* latest time / interval */
	bool is_whole;			/* nothing is cut before the end */
	struct by_series taker;
};

/* Begin; what the struct has beside the running series is set before the first
 * line. */
void running_batches_init(struct running_batches *b,
    const struct running_config *c, struct metrics *metrics);
void running_batches_release(struct running_batches *b);

/* How the reader cuts them. */
struct cutter running_batches_cutter(struct running_batches *b);

#endif
