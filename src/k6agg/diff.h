/* SPDX-License-Identifier: MIT */
/* diff: what became better or worse from one stream to another. */
#ifndef K6PIPE_K6AGG_DIFF_H
#define K6PIPE_K6AGG_DIFF_H

#include "k6agg/agg.h"

/* Sum up both files and write the comparison to stdout, which is closed then.
 * Returns the status to exit with: EXIT_FAILED if something is worse. */
int agg_diff(struct options *o, char *const *files,
    const volatile sig_atomic_t *stop);

#endif
