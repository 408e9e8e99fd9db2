/* SPDX-License-Identifier: MIT */
/* judge_priv: what judge's .c files share. */
#ifndef K6PIPE_DATA_JUDGE_PRIV_H
#define K6PIPE_DATA_JUDGE_PRIV_H

#include "data/judge.h"

/* The type of a metric is known, unless it was before. */
void judge_set_type(struct judge *j, struct span metric,
    enum metric_type type);

#endif
