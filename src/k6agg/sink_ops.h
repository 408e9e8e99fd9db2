/* SPDX-License-Identifier: MIT */
/*
 * sink_ops: where the lines of the input go. There are four sinks: `pass`
 * writes them, `fold` folds or merges requests, `summary` adds all up, and
 * `filter` stands before one of these and hands on what is selected.
 */
#ifndef K6PIPE_K6AGG_SINK_OPS_H
#define K6PIPE_K6AGG_SINK_OPS_H

#include "data/sample.h"
#include "data/stream.h"

struct agg;
struct ending;

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

struct sink_ops {
	/* Take n points, whose lines are text, each with '\n'. */
	void (*points)(struct agg *agg, const struct point *points, int n,
	    struct span text);
	/* Take an aggregate. */
	enum sink_verdict (*aggregate)(struct agg *agg,
	    const struct sample *s);
	/* True if a line that is neither, a good one, passes as it is. */
	bool (*passes)(struct agg *agg, enum line_type type, struct span text);
	/* No more comes: write what is held, and the trailer. */
	void (*end)(struct agg *agg, const struct ending *ending);
	enum prepare_for purpose;
	bool is_folding;	/* needs the points of a request together */
};

extern const struct sink_ops pass_sink, fold_sink, summary_sink, filter_sink;

#endif
