/* SPDX-License-Identifier: MIT */
/*
 * series_collect: for protocol 2, samples in, batches of time series out
 * (PROTOCOL 5.4, 5.6). A bucket is sent when it is due by the clock of the
 * stream.
 */
#ifndef K6PIPE_K6PUSH_READ_SERIES_COLLECT_H
#define K6PIPE_K6PUSH_READ_SERIES_COLLECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "data/metricset.h"
#include "data/settings.h"
#include "data/stream.h"
#include "k6push/read/collect.h"
#include "k6push/read/timeseries.h"

/* A line that is taken, and what it stands for. */
struct series_collect_line {
	struct span text;
	bool has_time;		/* a Metric line has none */
	int64_t time_ns;
	uint64_t points, requests;
};

/* Is told of each line that is taken. */
typedef void series_collect_keep(void *ctx,
    const struct series_collect_line *line);

/* A zeroed struct is none. */
struct series_collect {
	series_collect_keep *keep;		/* NULL: nobody asks */
	void *ctx;
	struct timeseries series;
	struct metrics *metrics;	/* of the stream; borrowed */
	int64_t wait_ns;
	size_t max_series;		/* in one batch */
	int64_t latest_ns;		/* latest time of a sample */
	int64_t seen_ns;		/* monotonic: when that was seen */
	int64_t at_ns;			/* time of the last sample */
	struct map reserved;		/* tags that were told about */
};

/* Period and wait of settings. -1: protocol 2 does not have such ones. */
int series_collect_rule(const struct settings *s, int64_t *period_ns,
    int64_t *wait_ns, struct why *why);

/* Take them and the rest from settings. -1: as series_collect_rule. */
int series_collect_init(struct series_collect *g, const struct settings *s,
    struct metrics *metrics, struct why *why);
void series_collect_release(struct series_collect *g);

/* What hands values of the stream to g. */
struct by_series series_collect_taker(struct series_collect *g);

/* A batch: at most max_series series; run is to be filled in. */
typedef void series_collect_each(void *ctx, struct metricset *batch);

/* Hand out the buckets that are due, or all; `each` gets its batches one by
 * one. */
void series_collect_take(struct series_collect *g, bool is_all,
    series_collect_each *each, void *ctx);

/* Take the oldest bucket that is due, or the oldest at all. False: none is. */
bool series_collect_next(struct series_collect *g, bool is_all,
    struct timeseries_taken *out);

/* How many points, and requests of them, a batch stands for. */
uint64_t series_collect_points(const struct metricset *batch);
uint64_t series_collect_requests(const struct metricset *batch);

#endif
