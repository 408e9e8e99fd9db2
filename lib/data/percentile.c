/* SPDX-License-Identifier: MIT */
/* The one table of percentiles. */
#include "data/percentile.h"

const struct percentile_row percentiles[PERCENTILES] = {
	[P50] = { 0.5, "p50", "p50" },
	[P90] = { 0.9, "p90", "p90" },
	[P95] = { 0.95, "p95", "p95" },
	[P99] = { 0.99, "p99", "p99" },
	[P999] = { 0.999, "p99.9", "p99_9" },
};
