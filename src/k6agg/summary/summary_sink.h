/* SPDX-License-Identifier: MIT */
/* summary_sink: adds up all samples, and writes a table at the end. */
#ifndef K6PIPE_K6AGG_SUMMARY_SUMMARY_SINK_H
#define K6PIPE_K6AGG_SUMMARY_SUMMARY_SINK_H

#include "k6agg/line_sink.h"
#include "k6agg/summary/summary.h"

struct summary_sink {
	struct line_sink sink;
	struct summary *summary;	/* both borrowed */
	const struct books *books;
	struct judge *judge;	/* borrowed; has none if nothing is judged */
	const struct verdict *crossed;	/* for which reading ends; or NULL */
	size_t n_crossed;	/* at the end */
	bool is_cut;		/* the stream is not whole */
	enum summary_form form;
	int error;		/* errno of a write that failed; 0: none */
};

struct summary_sink summary_sink_of(struct summary *summary,
    const struct books *books, struct judge *judge,
    enum summary_form form);

#endif
