/* SPDX-License-Identifier: MIT */
/*
 * open_batch: a batch that is not cut yet. Its values are in memory; the lines
 * they came from are its pieces in the journal.
 */
#ifndef K6PIPE_K6PUSH_READ_OPEN_BATCH_H
#define K6PIPE_K6PUSH_READ_OPEN_BATCH_H

#include "data/metric.h"
#include "k6push/journal/journal.h"
#include "k6push/wire/batch.h"

struct open_batch {
	int64_t id;		/* of its bucket, where it has one */
	struct batch *batch;
	struct buf lines;	/* not yet in the journal */
};

/* A batch of this format that has no pieces yet. */
struct batch *open_batch_new(uint64_t number, uint8_t format, bool is_loose);

/* Let the batch begin with the types of the metrics, so that its pieces can be
 * read alone. */
void open_batch_declare(struct open_batch *o, const struct metrics *metrics);

/* Add a line that stands for so many points and requests. */
void open_batch_line(struct open_batch *o, struct span line, uint64_t points,
    uint64_t requests);

/* Bring the lines to the journal. -1: the disk does not take them. */
int open_batch_keep(struct open_batch *o, struct journal *journal,
    struct why *why);

/* The batch, which is open no more: the caller owns it. It is loose if the disk
 * does not have all its pieces. */
struct batch *open_batch_close(struct open_batch *o, struct journal *journal);

#endif
