/* SPDX-License-Identifier: MIT */
/*
 * ahead: a second core for a file. While one block of it is folded, the next
 * are read, and parsed as far as their points are of known frames. Blocks are
 * read, parsed and taken in order, one thread at each of these at a time, so
 * the output is that of one thread.
 *
 * What is not such a point is for the caller, who needs the stream for it: no
 * block is parsed before all of the block before it is done.
 */
#ifndef K6PIPE_K6AGG_AHEAD_H
#define K6PIPE_K6AGG_AHEAD_H

#include "base/lines.h"
#include "data/stream.h"

struct ahead;

/* Read on, from where it stands, the file that in has open. NULL: that is no
 * regular file, what remains is small, or there is no second core. Until
 * ahead_stop, in is filled by ahead_next alone. */
struct ahead *ahead_start(struct stream *s, struct lines *in);

/* Fill in with the next block. Its first *n lines are the points at *points,
 * of *bytes bytes; they die at the next call. False: the file is at its end,
 * or fails; lines_fill tells which, after ahead_stop. */
bool ahead_next(struct ahead *a, const struct point **points, int *n,
    size_t *bytes);

/* True if the block taken last had no other lines: points of the next may be
 * parsed now, and the stream is not the caller's to use. */
bool ahead_is_busy(const struct ahead *a);

/* End the thread; in's file stands behind the last block taken. */
void ahead_stop(struct ahead *a);

#endif
