/* SPDX-License-Identifier: MIT */
/* hist_priv: what hist's .c files share. */
#ifndef K6PIPE_DATA_HIST_PRIV_H
#define K6PIPE_DATA_HIST_PRIV_H

#include "data/hist.h"

enum { HIST_MAX_INDEX = HIST_INDEXES - 1 };

/* Count `count` values, which is not 0, in the bucket of an index. */
void hist_add_bucket(struct hist *h, uint32_t index, uint64_t count);

/* The histograms within h; they are made if there are none. */
struct hist *hist_negative(struct hist *h);
struct hist *hist_fine(struct hist *h);

#endif
