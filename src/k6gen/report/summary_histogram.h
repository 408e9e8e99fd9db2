/* SPDX-License-Identifier: MIT */
/* summary_histogram: how many requests took how long, as bars. */
#ifndef K6PIPE_K6GEN_REPORT_SUMMARY_HISTOGRAM_H
#define K6PIPE_K6GEN_REPORT_SUMMARY_HISTOGRAM_H

#include "base/buf.h"
#include "data/sink.h"

/* Append the durations, in milliseconds, as bars, each up to 1, 2 or 5 of a
 * power of ten. Nothing if there are none. */
void summary_print_histogram(const struct sink *durations, struct buf *out);

#endif
