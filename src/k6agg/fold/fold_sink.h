/* SPDX-License-Identifier: MIT */
/* fold_sink: requests are folded, or aggregates merged, and one trailer is
 * written in place of those that are read. */
#ifndef K6PIPE_K6AGG_FOLD_FOLD_SINK_H
#define K6PIPE_K6AGG_FOLD_FOLD_SINK_H

#include "k6agg/fold/fold.h"
#include "k6agg/line_sink.h"

struct fold_sink {
	struct line_sink sink;
	struct folding *folding;	/* all borrowed */
	struct books *books;
	struct out *out;
};

struct fold_sink fold_sink_of(struct folding *folding, struct books *books,
    struct out *out);

#endif
