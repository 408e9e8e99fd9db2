/* SPDX-License-Identifier: MIT */
/*
 * line_sink: where the lines of the input go. There are four: pass_sink writes
 * them, fold_sink folds or merges requests, summary_sink adds all up, and
 * filter_sink stands before one of these and hands on what is selected. (A
 * `struct sink` is k6's: what is kept of a series' values.)
 */
#ifndef K6PIPE_K6AGG_LINE_SINK_H
#define K6PIPE_K6AGG_LINE_SINK_H

#include "data/sample.h"
#include "data/stream.h"
#include "k6agg/books.h"

/* How a second thread prepares points for a sink. */
enum prepare_for {
	PREPARE_LINES,	/* to pass as they are */
	PREPARE_POINTS,	/* to be summed up */
	PREPARE_GROUPS,	/* to be folded */
};

enum sink_verdict {
	SINK_TAKEN,	/* its line does not pass */
	SINK_DROPPED,	/* by choice; nor does it */
	SINK_PASSES,	/* its line passes as it is */
};

/* A sink's own struct begins with this. */
struct line_sink {
	const struct line_sink_ops *ops;
};

/* Points that follow each other. Their lines are text, each with '\n', also
 * the last line of an input that lacks one. */
struct points {
	const struct point *list;
	int n;
	struct span text;
	bool lacks_newline;	/* in the input; n is 1 */
};

struct line_sink_ops {
	void (*points)(struct line_sink *s, const struct points *points);
	void (*end)(struct line_sink *s, const struct ending *ending);
	enum sink_verdict (*aggregate)(struct line_sink *s,
	    const struct sample *sample);
	/* True if a line that is neither, a good one, passes as it is. */
	bool (*passes)(struct line_sink *s, enum line_type type,
	    struct span text);
	enum prepare_for purpose;
	bool is_folding;	/* needs the points of a request together */
};

#endif
