/* SPDX-License-Identifier: MIT */
/* option_thresholds: the thresholds among the options of a k6 script. */
#ifndef K6PIPE_K6SERVE_INGEST_OPTION_THRESHOLDS_H
#define K6PIPE_K6SERVE_INGEST_OPTION_THRESHOLDS_H

#include "data/jsn.h"

/* Read the value of k6's option, an object of texts and of objects with a
 * text, into an empty or used out: the JSON object metric -> [source]. What is
 * no such object becomes {}; j keeps its error. */
void option_thresholds(struct jsn *j, struct buf *out);

/* The same of an object of all options, from its member "thresholds". */
void option_thresholds_of(struct jsn *options, struct buf *out);

#endif
