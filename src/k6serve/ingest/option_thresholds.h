/* SPDX-License-Identifier: MIT */
/* option_thresholds: the thresholds among the options of a k6 script. */
#ifndef K6PIPE_K6SERVE_INGEST_OPTION_THRESHOLDS_H
#define K6PIPE_K6SERVE_INGEST_OPTION_THRESHOLDS_H

#include "data/jsn.h"

/* Take the object of all options at which the cursor stands. If it has a
 * member "thresholds", out becomes the JSON object metric -> [source]; else it
 * stays. The cursor keeps its error. */
void option_thresholds(struct jsn *options, struct buf *out);

#endif
