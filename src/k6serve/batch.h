/* SPDX-License-Identifier: MIT */
/*
 * batch: the samples of one body, put together by series and second before
 * they go to the store, so that each row is written once however many samples
 * fall into it.
 */
#ifndef K6PIPE_K6SERVE_BATCH_H
#define K6PIPE_K6SERVE_BATCH_H

#include "base/map.h"
#include "data/sample.h"
#include "data/tags.h"
#include "io/store.h"

struct cell;

/* A zeroed struct is empty. */
struct batch {
	struct tags tags;
	struct map metrics;		/* name and type -> struct series_of */
	struct map cells;
	struct cell **all;		/* the same cells, in order of arrival */
	size_t n, cap;
	struct store_row *rows;
	uint64_t requests, points;
	int64_t first_ns, last_ns;	/* times of samples */
	int64_t period_ns;		/* longest of the aggregates */
	int64_t fold_ns;		/* time of the last aggregate that did
					   not say its period */
	int64_t gap_ns;			/* least step between such times */
};

void batch_release(struct batch *b);

/* For sample_parse_all. */
int batch_add(void *ctx, const struct sample *s);

/* Fill in rows, n, requests, points, times and step of out. The rows belong
 * to b and are ordered as the store wants them. */
void batch_rows(struct batch *b, struct store_batch *out);

#endif
