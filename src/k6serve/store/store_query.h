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
	int64_t from, to;	/* only these seconds, from <= second < to, by
				   store_series; to 0: all. store_points:
				   not before from; 0: all */
};

/* Whole run; tags n 0 when is_whole. Ordered by metric. Of a part of it, each
 * series has a row for each of its seconds there. */
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
	int64_t from;		/* not before this second; 0: all */
};

/* Its values second by second, in order. */
int store_points_of(struct store *s, const struct store_series_query *q,
    store_row_each *each, void *ctx, struct why *why);

/* Series of a run, only sum and count by steps of some seconds, which is much
 * quicker. */
struct store_steps_query {
	const char *owner;
	int64_t run;
	const int64_t *series;	/* that rows named */
	size_t n;
	int64_t from;		/* as above */
	int64_t step_s;
};

/* at: the place in q->series. Steps of one series come together, each once;
 * begin is a multiple of step_s; a sum past all doubles is the largest one.
 * Anything but 0 ends the walk. */
typedef int store_step_each(void *ctx, size_t at, int64_t begin, double sum,
    uint64_t count);

/* What each returned last (0: all came), or -1 and why. */
int store_steps(struct store *s, const struct store_steps_query *q,
    store_step_each *each, void *ctx, struct why *why);

/* The first second in which it had a value that is not 0; *second stays without
 * one. -1: why. */
int store_first_nonzero(struct store *s, const struct store_series_query *q,
    int64_t *second, struct why *why);

/* How many values of the run went to STORE_OVERFLOW; -1: why. */
int64_t store_overflow(struct store *s, const char *owner, int64_t run,
    struct why *why);

#endif
