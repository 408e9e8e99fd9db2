/* SPDX-License-Identifier: MIT */
/*
 * told: the thresholds whose results a client reports, but which it did not
 * name when it created the run: a stream may name them after its first
 * samples.
 */
#ifndef K6PIPE_K6SERVE_INGEST_TOLD_H
#define K6PIPE_K6SERVE_INGEST_TOLD_H

#include <stdbool.h>

#include "data/jsn.h"

/* Write the plan {"metric":["avg<9"]} and what only results {"metric":
 * {"avg<9":has failed}} names. False: that is nothing, and out is of no
 * use. */
bool told_add(struct span plan, struct span results, struct buf *out);

#endif
