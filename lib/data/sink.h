/* SPDX-License-Identifier: MIT */
/* sink: what is kept of one metric's (or series') values; they merge. */
#ifndef K6PIPE_DATA_SINK_H
#define K6PIPE_DATA_SINK_H

#include <stdint.h>

#include "base/total.h"
#include "data/hist.h"
#include "data/metric.h"

/* A zeroed struct with a type is empty. All members hold for each type but
 * hist, which only trends fill. */
struct sink {
	enum metric_type type;
	uint64_t count;		/* values */
	uint64_t nonzero;	/* of them, those that are not 0 */
	struct total sum;
	double min, max;	/* 0 while count is 0 */
	double last;		/* the value with the latest time */
	int64_t last_ns;	/* its time */
	struct hist hist;
};

void sink_release(struct sink *s);
void sink_add(struct sink *s, double value, int64_t time_ns);

/* The same of a trend's value of whole nanoseconds, in milliseconds: faster.
 * Its bucket is counted in h, which hist_add_tally adds to s->hist before that
 * is looked at. ns >= 0. */
void sink_add_ns(struct sink *s, struct hist_tally *h, int64_t ns,
    int64_t time_ns);

void sink_merge(struct sink *s, const struct sink *from);

double sink_sum(const struct sink *s);
double sink_avg(const struct sink *s);		/* 0 while empty */
double sink_quantile(const struct sink *s, double p);	/* trends; p 0..1 */

#endif
