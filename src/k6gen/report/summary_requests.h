/* SPDX-License-Identifier: MIT */
/* summary_requests: how the requests ended, and those of each name. */
#ifndef K6PIPE_K6GEN_REPORT_SUMMARY_REQUESTS_H
#define K6PIPE_K6GEN_REPORT_SUMMARY_REQUESTS_H

#include "k6gen/report/summary.h"

/* Append a line for each status and reason, and one for each name (the most
 * frequent ones). No line is longer than 80 columns. */
void summary_print_requests(const struct summary *s, struct buf *out);

#endif
