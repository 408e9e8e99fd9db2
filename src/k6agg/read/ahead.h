/* SPDX-License-Identifier: MIT */
/*
 * ahead: a second core for a file. The file is cut into blocks at lines where
 * a group surely begins; two threads, ours and another, each read and prepare
 * whole blocks, and we take them in order. The output is that of one thread.
 *
 * A block that holds anything but points, or has no such line, is taken line
 * by line in its turn.
 */
#ifndef K6PIPE_K6AGG_READ_AHEAD_H
#define K6PIPE_K6AGG_READ_AHEAD_H

#include "base/lines.h"
#include "k6agg/read/prepare.h"

struct ahead;

/* Owned by the caller; starts nothing yet. */
struct ahead *ahead_new(const struct prepare_rule *rule);

/* Read on, from where it stands, the file that in has open. False: that is no
 * regular file, what remains is small, or there is no second core. Until
 * ahead_stop, in is filled by ahead_next alone. */
bool ahead_start(struct ahead *a, struct lines *in);
bool ahead_is_on(const struct ahead *a);

enum ahead_result {
	AHEAD_PREPARED,	/* *out is what comes next; dies at the next call */
	AHEAD_LINES,	/* in has lines to take */
	AHEAD_END,	/* the file is at its end, or fails; lines_fill tells
			   which, after ahead_stop */
};

/* What comes next, for a caller who has taken all whole lines of in. */
enum ahead_result ahead_next(struct ahead *a, const struct prepared **out);

/* True if tag sets of points that were taken are no more; asks once. */
bool ahead_has_forgotten(struct ahead *a);

/* End the thread, if there is one; in's file stands behind what was taken.
 * What was kept of prepared blocks needs a, until ahead_free. NULL is
 * allowed. */
void ahead_stop(struct ahead *a);
void ahead_free(struct ahead *a);

#endif
