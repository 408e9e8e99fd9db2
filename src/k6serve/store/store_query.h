/* SPDX-License-Identifier: MIT */
/* store_query: the data of a run, over all of it and second by second. */
#ifndef K6PIPE_K6SERVE_STORE_STORE_QUERY_H
#define K6PIPE_K6SERVE_STORE_STORE_QUERY_H

#include "data/metric.h"
#include "data/sink.h"
#include "k6serve/store/store.h"

/* A series is a metric with one tag set. When a run has as many as it may, no
 * others are made: what belongs there is added to this tag set instead, which
 * does not count. New tag sets come in with all their metrics or not at all. */
#define STORE_OVERFLOW "{\"name\":\"__other__\"}"

/* Values of one series in one second, or in all. */
struct store_row {
	struct span metric;
	enum metric_type type;
	struct span tags;	/* JSON; n 0: all tag sets together */
	int64_t second;
	const struct sink *sink;
	int64_t series;		/* its number in the store, when read */
};

/* Rows are handed out one by one; what they point to dies with the call. A
 * return other than 0 ends the walk with that value; -1 is a failure. */
typedef int store_row_each(void *ctx, const struct store_row *row);

/* What to read of a run. */
struct store_query {
	const char *owner;
	int64_t run;
	const char *metric;	/* NULL: all, for store_series if is_whole */
	bool is_whole;		/* all tag sets together, not each */
	bool has_no_hist;	/* leave histograms empty: much quicker */
};

/* Whole run; tags n 0 when is_whole. Ordered by metric. */
int store_series(struct store *s, const struct store_query *q,
    store_row_each *each, void *ctx, struct why *why);

/* Second by second, in order. */
int store_points(struct store *s, const struct store_query *q,
    store_row_each *each, void *ctx, struct why *why);

/* One series that a row named. */
struct store_series_query {
	const char *owner;
	int64_t series;
	enum metric_type type;	/* that row's */
};

/* Its values second by second, in order. */
int store_points_of(struct store *s, const struct store_series_query *q,
    store_row_each *each, void *ctx, struct why *why);

/* The same, only sum and count, which is quicker still. */
typedef int store_sum_each(void *ctx, int64_t second, double sum,
    uint64_t count);
int store_sums(struct store *s, const struct store_series_query *q,
    store_sum_each *each, void *ctx, struct why *why);

/* How many values of the run went to STORE_OVERFLOW; -1: why. */
int64_t store_overflow(struct store *s, const char *owner, int64_t run,
    struct why *why);

#endif
