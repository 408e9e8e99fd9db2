/* SPDX-License-Identifier: MIT */
/*
 * numbers: the one place that gives out the numbers of batches. The reader
 * takes one for each batch that it begins, the uploader two for the parts of a
 * batch that it splits; no two batches of a journal have the same number.
 */
#ifndef K6PIPE_K6PUSH_WIRE_NUMBERS_H
#define K6PIPE_K6PUSH_WIRE_NUMBERS_H

#include <stdatomic.h>
#include <stdint.h>

/* A zeroed struct begins with 1. */
struct numbers {
	_Atomic uint64_t last;	/* the highest given out */
};

/* Go on behind `last`, the highest number of an earlier process. Before any
 * other thread takes numbers. */
void numbers_continue(struct numbers *n, uint64_t last);

/* The highest given out; 0: none yet. From any thread. */
uint64_t numbers_last(const struct numbers *n);

/* Give out `count` numbers in a row, and return the first. From any thread. A
 * number may stay unused: a gap means nothing. */
uint64_t numbers_take(struct numbers *n, uint64_t count);

#endif
