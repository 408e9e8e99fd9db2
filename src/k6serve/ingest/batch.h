/* SPDX-License-Identifier: MIT */
/*
 * batch: the samples of one body, added up by series and second before they go
 * to the store, so that each row is written once however many samples fall
 * into it.
 */
#ifndef K6PIPE_K6SERVE_INGEST_BATCH_H
#define K6PIPE_K6SERVE_INGEST_BATCH_H

#include "base/map.h"
#include "data/sample.h"
#include "data/tags.h"
#include "k6serve/store/store_batch.h"

struct cell;	/* values of one series in one second */

enum { BATCH_RECENT = 4096 };

/* A zeroed struct is empty. All of it is owned. */
struct batch {
	struct tags tags;		/* of the samples that are added */
	uint32_t most_tags;		/* sets; others go to STORE_OVERFLOW */
	struct map metrics;		/* name and type -> struct series_of */
	struct map cells;		/* struct cell_key -> struct cell */
	struct cell *recent[BATCH_RECENT];	/* some of those, by a part
					   of their key: found sooner */
	struct cell **all;		/* those, in order of arrival */
	size_t n, cap;
	struct store_row *rows;		/* NULL before batch_rows */
	struct store_slow *slow;	/* the slowest requests; others too */
	size_t n_slow, cap_slow;
	uint64_t requests, points;	/* as sample_requests, _points count */
	/* Times of samples, middles of aggregates, starts of values; 0:
	 * none. */
	struct batch_times { int64_t first_ns, last_ns; } exact, middles,
	    starts;
	int64_t period_ns;		/* longest of what was folded */
	int64_t fold_ns;		/* time of the last aggregate that did
					   not say its period */
	int64_t gap_ns;			/* least step between such times */
};

/* How many tag sets one body may have in a run that may have max_series:
 * that bounds the memory it takes. */
uint32_t batch_most_tags(int64_t max_series);

void batch_release(struct batch *b);	/* frees; b is empty again */

/* Add a sample, whose tag set must be of b->tags; ctx is the batch. Returns 0:
 * it cannot fail. For sample_feed. */
int batch_add(void *ctx, const struct sample *s);

/* Add what one series of protocol 2 had at one time, likewise; for
 * metricset_parse. The longest period is noted by the caller. */
int batch_add_value(void *ctx, const struct sample_series *at,
    const struct sink *sink);

/* Fill in rows, slow, requests, points, times and step of out; the rest stays.
 * The rows belong to b, die with batch_release, and are ordered as the store
 * wants them. Once, behind the last batch_add. */
void batch_rows(struct batch *b, struct store_batch *out);

#endif
