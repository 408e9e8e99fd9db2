/* SPDX-License-Identifier: MIT */
/*
 * timeseries: the values of each time series (a metric with one tag set) by
 * time bucket, as metrics protocol v2 has them (PROTOCOL 5.4). A value that
 * comes after its bucket was taken opens the bucket again.
 */
#ifndef K6PIPE_K6PUSH_READ_TIMESERIES_H
#define K6PIPE_K6PUSH_READ_TIMESERIES_H

#include <stdint.h>

#include "data/metricset.h"
#include "data/sink.h"
#include "data/stream.h"

struct slot;	/* one open bucket */
struct entry;	/* one series in it */

/* A zeroed struct with a period is empty. */
struct timeseries {
	int64_t period_ns;	/* > 0 */
	struct slot **slots;	/* ascending by time; owned */
	size_t n, cap;
	struct slot *slot;	/* of the value before; NULL: none */
	struct entry *last;	/* likewise */
	size_t n_entries;	/* of all slots */
};

void timeseries_release(struct timeseries *t);

/* The sink of a series in the bucket of a time, made if need be. It stays
 * until the bucket is taken; metric must stay as long, tags need not. */
struct sink *timeseries_sink(struct timeseries *t,
    const struct metric *metric, const struct tagset *tags, int64_t time_ns);

/* Forget what tag sets were seen at which address: they are to be freed. */
void timeseries_forget_tags(struct timeseries *t);

/* Buckets that were taken, as series in the order of metric name, tag set and
 * time: the same whatever way the values came. */
struct timeseries_taken {
	struct metricset_series *series;
	size_t n;
	struct metricset_value *values;	/* what series point to */
	struct slot **slots;
	size_t n_slots;
};

/* True if a bucket is due at that time of the stream: one is `wait_ns` after
 * its start. */
bool timeseries_is_due(const struct timeseries *t, int64_t now_ns,
    int64_t wait_ns);

/* Take the buckets that are due, with a now_ns of INT64_MAX all, but at most
 * so many, the oldest first. */
void timeseries_take(struct timeseries *t, int64_t now_ns, int64_t wait_ns,
    size_t most, struct timeseries_taken *out);
void timeseries_taken_release(struct timeseries_taken *taken);

#endif
