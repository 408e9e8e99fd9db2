/* SPDX-License-Identifier: MIT */
/* The message's field numbers, for metricset*.c alone (PROTOCOL 5.2). */
#ifndef K6PIPE_DATA_METRICSET_PRIV_H
#define K6PIPE_DATA_METRICSET_PRIV_H

#include "data/metric.h"

enum { SET_RUN = 1, SET_PERIOD = 2, SET_METRICS = 3 };
enum { METRIC_NAME = 1, METRIC_TYPE = 2, METRIC_SERIES = 3 };
enum { SERIES_LABELS = 1 };	/* and samples, see metricset_wire */
enum { LABEL_NAME = 1, LABEL_VALUE = 2 };
enum { SAMPLES_VALUES = 1 };
enum { VALUE_TIME = 1 };	/* of each type */
enum { TIME_SECONDS = 1, TIME_NANOS = 2 };
enum { COUNTER_VALUE = 2 };
enum { GAUGE_LAST = 2, GAUGE_COUNT = 3, GAUGE_MIN = 4, GAUGE_MAX = 5,
	GAUGE_AVG = 6 };
enum { RATE_NONZERO = 2, RATE_TOTAL = 3 };
enum { TREND_COUNTERS = 2, TREND_SPANS = 3, TREND_SUM = 5, TREND_COUNT = 6,
	TREND_MIN = 7, TREND_MAX = 8, TREND_LOW = 9, TREND_HIGH = 10,
	TREND_RESOLUTION = 11, TREND_DIGITS = 12 };
enum { SPAN_OFFSET = 1, SPAN_LENGTH = 2 };

#define METRICSET_RESOLUTION 0.001	/* of k6's histograms */

/* How a metric type is called there: MetricType, and the field of TimeSeries
 * that has its samples. */
struct metricset_wire {
	uint32_t type, samples;
	const char *type_name, *samples_name;
};

static const struct metricset_wire metricset_wire[] = {
	[METRIC_COUNTER] = { 1, 2, "METRIC_TYPE_COUNTER", "counter_samples" },
	[METRIC_GAUGE] = { 2, 3, "METRIC_TYPE_GAUGE", "gauge_samples" },
	[METRIC_RATE] = { 3, 4, "METRIC_TYPE_RATE", "rate_samples" },
	[METRIC_TREND] = { 4, 5, "METRIC_TYPE_TREND", "trend_hdr_samples" },
};

#endif
