/* SPDX-License-Identifier: MIT */
/* metric: k6's metric types, the built-in metrics, and declared ones. */
#ifndef K6PIPE_DATA_METRIC_H
#define K6PIPE_DATA_METRIC_H

#include <stdbool.h>

#include "base/map.h"
#include "base/mem.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_TREND, METRIC_RATE };
enum metric_contains { CONTAINS_DEFAULT, CONTAINS_TIME, CONTAINS_DATA };

/* Names as in NDJSON: counter, gauge, trend, rate; default, time, data. */
const char *metric_type_name(enum metric_type type);
const char *metric_contains_name(enum metric_contains contains);
bool metric_type_parse(struct span name, enum metric_type *type);

struct metric {
	struct span name;
	enum metric_type type;
	enum metric_contains contains;
	bool is_declared;	/* a Metric line was seen */
	bool was_late;		/* but points came before it, of no trend */
};

enum { METRIC_NAME_MAX = 128 };	/* bytes; k6's limit */

/* The one rule for the name of a metric, of readers, pushers and servers alike:
 * 1 to METRIC_NAME_MAX bytes, none of them NUL. Escapes are gone by then. */
bool metric_is_name(struct span name);

/* May a sample of the metric have this value? http_reqs says how many requests
 * there were: a whole number from 0 on, which a double holds to the last digit.
 */
static inline bool
metric_takes(const struct metric *m, double value)
{
	return m->name.n != sizeof("http_reqs") - 1 ||
	    (value >= 0 && value < 0x1p53 && value == (double)(int64_t)value) ||
	    !span_is(m->name, "http_reqs");
}

/* The built-in metric of that name (PROTOCOL 1.6), or NULL. */
const struct metric *metric_builtin(struct span name);

/* Metrics of one stream by name. A zeroed struct is empty. */
struct metrics {
	struct map by_name;
};

void metrics_release(struct metrics *ms);

/* The metric of that name; made, as the built-in or else as an undeclared
 * trend, at the first call. Owned by ms and stays where it is. */
struct metric *metrics_get(struct metrics *ms, struct span name);

#endif
