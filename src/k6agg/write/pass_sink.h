/* SPDX-License-Identifier: MIT */
/* pass_sink: lines pass byte for byte, nothing is folded. */
#ifndef K6PIPE_K6AGG_WRITE_PASS_SINK_H
#define K6PIPE_K6AGG_WRITE_PASS_SINK_H

#include "k6agg/line_sink.h"
#include "k6agg/write/out.h"

struct pass_sink {
	struct line_sink sink;
	struct books *books;	/* both borrowed */
	struct out *out;
};

struct pass_sink pass_sink_of(struct books *books, struct out *out);

#endif
