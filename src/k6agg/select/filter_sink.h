/* SPDX-License-Identifier: MIT */
/* filter_sink: stands before another sink and hands on what is selected. */
#ifndef K6PIPE_K6AGG_SELECT_FILTER_SINK_H
#define K6PIPE_K6AGG_SELECT_FILTER_SINK_H

#include "k6agg/line_sink.h"
#include "k6agg/select/select.h"
#include "k6agg/write/out.h"

struct filter_sink {
	struct line_sink sink;
	struct line_sink *next;	/* all borrowed */
	struct select *select;
	struct stream *stream;
	struct books *books;
	struct out *out;
	struct buf lines;	/* scratch */
};

struct filter_sink filter_sink_of(struct select *select,
    struct line_sink *next, struct stream *stream, struct books *books,
    struct out *out);
void filter_sink_release(struct filter_sink *f);

/* For folding, whose filter ctx is: write what is selected of lines that
 * passed it, those of one request or of points by themselves. */
void filter_folded(void *ctx, struct span lines, bool is_request);

#endif
