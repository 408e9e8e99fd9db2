/* SPDX-License-Identifier: MIT */
/* baseline: the runs with which a run is compared. */
#ifndef K6PIPE_K6SERVE_VIEW_BASELINE_H
#define K6PIPE_K6SERVE_VIEW_BASELINE_H

#include "k6serve/view/view.h"

enum { BASELINE_MOST = 100 };

/* The last runs before v->run that have its name, finished, and did not fail:
 * at most v->baseline of them, the newest first, into runs, which has room for
 * BASELINE_MOST. If v->baseline is 0: the one run that somebody chose as the
 * baseline of the name, or, if there is none but v->run, the last of those.
 * How many, or -1: why. */
int baseline_find(const struct view *v, int64_t runs[BASELINE_MOST],
    struct why *why);

#endif
