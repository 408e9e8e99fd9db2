/* SPDX-License-Identifier: MIT */
/* declare: the lines before and after the samples: Start, Metric and End. */
#ifndef K6PIPE_K6GEN_SAMPLES_DECLARE_H
#define K6PIPE_K6GEN_SAMPLES_DECLARE_H

#include "base/buf.h"
#include "data/run.h"
#include "k6gen/plan.h"
#include "k6gen/tally.h"

/* Append the line of a metric, with its thresholds and submetrics. */
void declare_metric(const struct plan *plan, enum emitted which,
    struct buf *out);

/* Append the first line, and the last. failed tells of each threshold. */
void declare_start(const struct plan *plan, int64_t time_ns, struct buf *out);
void declare_end(const struct tally *run, int64_t time_ns, int exit_status,
    enum run_status run_status, const bool *failed, struct buf *out);

#endif
