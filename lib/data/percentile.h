/* SPDX-License-Identifier: MIT */
/* percentile: the percentiles that the tools report, and their names. */
#ifndef K6PIPE_DATA_PERCENTILE_H
#define K6PIPE_DATA_PERCENTILE_H

enum percentile {
	P50, P90, P95, P99, P999,
	PERCENTILES,
};

extern const struct percentile_row {
	double at;		/* 0..1, as hist_quantile takes it */
	const char *label;	/* for people: p99.9 */
	const char *key;	/* of a JSON member: p99_9 */
} percentiles[PERCENTILES];

#endif
