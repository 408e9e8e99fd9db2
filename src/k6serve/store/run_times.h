/* SPDX-License-Identifier: MIT */
/* run_times: when a run began and ended, by the best source. */
#ifndef K6PIPE_K6SERVE_STORE_RUN_TIMES_H
#define K6PIPE_K6SERVE_STORE_RUN_TIMES_H

#include "k6serve/store/store_run.h"

/* What the sender told; else, of a run that came while it was made, when it
 * was made and finished, as far as its data allow; else its samples, the
 * middle of a bucket's uncertainty. Both are the time of creation if there is
 * no data. Unix ns; end is not before start. */
struct run_times {
	int64_t start_ns, end_ns;
};
struct run_times run_times(const struct store_run *run);

/* How long it took; 0: that is not known, or there was one moment only. */
double run_seconds(const struct store_run *run);

#endif
