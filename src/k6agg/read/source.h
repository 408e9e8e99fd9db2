/* SPDX-License-Identifier: MIT */
/*
 * source: the inputs. Without --merge they are one, read in turn. With it each
 * file is one of its own, and they are read side by side, the one next that is
 * behind the others, so that all come to a time bucket before it is closed.
 */
#ifndef K6PIPE_K6AGG_READ_SOURCE_H
#define K6PIPE_K6AGG_READ_SOURCE_H

#include "base/lines.h"
#include "data/trail.h"

struct source {
	struct lines in;
	struct trails trails;	/* groups of points do not cross sources */
	int64_t clock_ns;	/* latest time in it, or in its last stream */
	int64_t latest_ns;	/* ever */
	bool has_clock, has_time;
	bool is_at_end;
};

struct sources {
	struct source *list;	/* owned */
	size_t n;
	struct source *at;	/* the one that is read now */
};

/* Make one for each of the files, or one for all. */
void sources_init(struct sources *s, char *const *files, int n_files,
    bool is_merging);
void sources_release(struct sources *s);

/* Go to the one that is furthest behind; NULL: all are at their end. Until
 * its clock has passed *limit_ns no other is behind it. */
struct source *sources_next(struct sources *s, int64_t slack_ns,
    int64_t *limit_ns);

/* The earliest clock of those that are not at their end: nothing before it
 * is to come. False: not known yet, or none is left. */
bool sources_clock(const struct sources *s, int64_t *ns);

/* Files that could not be read, of all. */
int sources_failed(const struct sources *s);

/* Hold no lines in memory that the next read reuses. True: nor any points. */
bool sources_settle(struct sources *s);

#endif
