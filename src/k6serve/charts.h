/* SPDX-License-Identifier: MIT */
/* charts: a run over time, and by URL, as JSON (k6serve(1), "JSON API"). */
#ifndef K6PIPE_K6SERVE_CHARTS_H
#define K6PIPE_K6SERVE_CHARTS_H

#include "k6serve/app.h"

/* Routes: both fill in c->reply, with 404 or 500 when there is no such run or
 * the store fails. charts_series takes ?metric=NAME. */
void charts_series(struct call *c);
void charts_urls(struct call *c);

/* Members count, min, avg, p50 (named as median says), p90, p95, p99, max of a
 * trend, in the unit of its values, into the object that is open; null for
 * what an empty one does not have. */
void put_trend(struct json_out *o, const struct sink *s, const char *median);

#endif
