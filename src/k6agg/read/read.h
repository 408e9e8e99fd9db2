/* SPDX-License-Identifier: MIT */
/* read: the inputs, to their end or a signal, live or from a file. */
#ifndef K6PIPE_K6AGG_READ_READ_H
#define K6PIPE_K6AGG_READ_READ_H

#include "k6agg/agg_priv.h"

/* Read all input. Returns 0, or -1 after a bad line with --strict. */
int read_all(struct agg *agg);

#endif
