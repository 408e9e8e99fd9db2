/* SPDX-License-Identifier: MIT */
/* charts: a run over time, and by URL, as JSON. */
#ifndef K6PIPE_K6SERVE_CHARTS_H
#define K6PIPE_K6SERVE_CHARTS_H

#include "k6serve/app.h"

void charts_series(struct call *c);
void charts_urls(struct call *c);

/* Members count, min, avg, p50 (named as said), p90, p95, p99, max of a trend;
 * null for what an empty one does not have. */
void put_trend(struct json_out *o, const struct sink *s, const char *median);

#endif
