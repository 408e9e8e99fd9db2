/* SPDX-License-Identifier: MIT */
/*
 * metricset: what the cloud's metrics protocol v2 carries (PROTOCOL 5): time
 * series of values by time bucket, to protobuf and back.
 */
#ifndef K6PIPE_DATA_METRICSET_H
#define K6PIPE_DATA_METRICSET_H

#include <stdint.h>

#include "base/buf.h"
#include "base/why.h"
#include "data/pb.h"
#include "data/sample.h"
#include "data/sink.h"
#include "data/tags.h"

/* One value: what a time series had in one bucket. */
struct metricset_value {
	int64_t second;		/* Unix, where the bucket starts */
	const struct sink *sink;
};

struct metricset_series {
	struct span metric;
	enum metric_type type;
	const struct tagset *tags;
	const struct metricset_value *values;
	size_t n;
};

/* The message MetricSet. Series of one metric stand together. All borrowed. */
struct metricset {
	struct span run;	/* id; may be empty */
	uint32_t period_s;
	const struct metricset_series *series;
	size_t n;
};

/* The cloud keeps such tag names to itself: they are not sent. */
bool metricset_is_reserved(struct span key);

/* Write the message in front of what out holds. */
void metricset_encode(const struct metricset *m, struct pb_out *out);

/* Append the message's series as JSON, each with its metric on a line. */
void metricset_print(const struct metricset *m, struct buf *out);

/* What a message says of itself. */
struct metricset_head {
	struct span run;	/* borrowed of the message */
	uint32_t period_s;	/* 0: not said */
	uint64_t skipped;	/* values that are not finite: left away */
};

/*
 * Read a message. Each value is handed to `each`, which must take it before it
 * returns; a return other than 0 ends the reading with that value. Tag sets
 * come from tags. The head is complete before the first value, `skipped` at
 * the end. A gauge whose min is above its max (k6 up to 1.7) is put right. Of
 * a counter only the sum is known, so it counts as one value. -1: it is no
 * such message; some values may have been handed out.
 */
typedef int metricset_each(void *ctx, const struct sample_series *at,
    const struct sink *sink);

int metricset_parse(struct span message, struct tags *tags,
    struct metricset_head *head, metricset_each *each, void *ctx,
    struct why *why);

#endif
