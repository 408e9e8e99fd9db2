/* SPDX-License-Identifier: MIT */
/*
 * out: lines on stdout, kept apart also where an input lacks its last '\n'.
 * They gather in memory and are written in large pieces.
 */
#ifndef K6PIPE_K6AGG_WRITE_OUT_H
#define K6PIPE_K6AGG_WRITE_OUT_H

#include <stdbool.h>

#include "base/buf.h"
#include "data/aggregate.h"

/* A zeroed struct is ready. */
struct out {
	bool lacks_newline;	/* the line last written has none */
	int error;		/* errno of the first write that failed */
	bool is_discarding;	/* nobody is to see the lines */
	struct buf pending;	/* not yet written */
};

void out_release(struct out *o);

/* Write a line of the input, with '\n' if it had one there. */
void out_line(struct out *o, struct span line, bool had_newline);

/* Write whole lines, each with its '\n'. */
void out_lines(struct out *o, struct span lines);

/* For a caller that appends whole lines, each with its '\n', by itself: where
 * to, until the next call of a function of out; and when it has done so. */
struct buf *out_open(struct out *o);
void out_added(struct out *o);

/* Hand what is pending to the reader. */
void out_flush(struct out *o);

/* Write an AggregatedPoints line. */
void out_aggregate(struct out *o, const struct aggregate *a);

#endif
