/* SPDX-License-Identifier: MIT */
/*
 * running: for remote write, the total of each series since the run began
 * (PROTOCOL 9.3), one for each metric and set of labels, however many values
 * it had.
 */
#ifndef K6PIPE_K6PUSH_READ_RUNNING_H
#define K6PIPE_K6PUSH_READ_RUNNING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "data/native.h"
#include "data/remote.h"
#include "data/settings.h"
#include "data/sample.h"
#include "data/sink.h"
#include "data/stream.h"

enum { RUNNING_STATS = 16 };

enum running_kind { STAT_COUNT, STAT_SUM, STAT_MIN, STAT_MAX, STAT_AVG,
	STAT_QUANTILE };

/* One of K6_PROMETHEUS_RW_TREND_STATS. */
struct running_stat {
	enum running_kind kind;
	double p;		/* 0..1 */
	char suffix[24];	/* _p99 */
};

/* What all series have, and how they are sent. Texts are borrowed. */
struct running_config {
	const char *testid, *instance;
	bool keeps_testid;	/* a tag of that name overrules ours */
	bool has_histograms, is_stale_told;
	bool is_start_told;	/* of all but gauges; version 2.0 has it */
	int64_t interval_ms;
	unsigned lanes;		/* 1 to WIRE_LANES */
	int schema;
	struct running_stat stats[RUNNING_STATS];
	int n_stats;
};

/* A set of labels. */
struct running_target {
	struct remote_labels labels;	/* bytes are owned */
	unsigned lane;
};

struct running_series {
	struct {
		const struct metric *metric;
		const struct running_target *target;
	} key;
	const struct tagset *source;	/* of the stream; NULL: forgotten */
	struct running_series *next;	/* that came next the last time */
	struct sink values;	/* but for a histogram */
	struct native hist;	/* of trends; times in seconds */
	uint64_t points, requests;	/* since it was last sent */
	int64_t first_ms, latest_ms;	/* times of its values */
	int64_t sent_ms, start_ms;	/* the latter is that of its 0 */
	bool is_sent, is_changed;
};

struct running {
	struct running_config config;
	struct native_scale scale;
	struct metrics *metrics;	/* of the stream; borrowed */
	struct map targets;	/* label bytes -> struct running_target */
	struct map sources;	/* tag set's address -> struct source */
	struct map by_key;
	struct running_series *last;
	struct running_series **all;	/* owned, in order of first sight */
	size_t n, cap;
	int64_t latest_ms;	/* of any value; INT64_MIN: none */
	struct buf scratch;
	char *own_testid;	/* the first tag that overruled ours; NULL */
	bool has_own_testids;	/* there was another one */
};

/* What the settings say of it. -1: why, a setting is none. */
int running_configure(struct running_config *c, const struct settings *s,
    struct why *why);

void running_init(struct running *r, const struct running_config *c,
    struct metrics *metrics);
void running_release(struct running *r);

/* The series of a metric with these tags. */
struct running_series *running_series(struct running *r,
    const struct metric *metric, const struct tagset *tags);

/* Add a value; add all values of a sink, with its histogram, from one moment.
 * Both count as so many requests. */
void running_add(struct running *r, struct running_series *s, double value,
    int64_t time_ns);
void running_merge(struct running *r, struct running_series *s,
    const struct sink *from, int64_t time_ns);

/* Tag sets are to be freed. */
void running_forget_tags(struct running *r);

/* A request has one sample of each series, so that a second try, after an
 * answer that was lost, is the same to the receiver. */
enum running_what {
	RUNNING_BEGIN,		/* a 0 before the first values of counters */
	RUNNING_VALUES,		/* what they amount to; they are sent then */
	RUNNING_LAST,		/* likewise, at the time of the run's end */
	RUNNING_STALE,		/* that they go on no more */
};

/* Append the plain body (wire/wire_rw.h) of n series. Returns how many series
 * of the receiver they are; 0: there is nothing to say. */
size_t running_encode(struct running *r, struct running_series *const *list,
    size_t n, enum running_what what, struct buf *plain);

#endif
