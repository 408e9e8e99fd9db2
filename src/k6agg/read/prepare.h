/* SPDX-License-Identifier: MIT */
/*
 * prepare: what a piece of the input holds, made ready to be taken in its turn
 * by somebody else: the part of the work that needs no more than the piece.
 */
#ifndef K6PIPE_K6AGG_READ_PREPARE_H
#define K6PIPE_K6AGG_READ_PREPARE_H

#include "data/stream.h"
#include "data/trail.h"
#include "k6agg/fold/line_store.h"
#include "k6agg/line_sink.h"

struct prepare_rule {
	enum prepare_for purpose;
	int64_t calc_ns;	/* of groups: what falls between two multiples
				   of it is taken at once */
};

/* Who prepares. Zeroed it is ready. Its stream may forget nothing before all
 * that it prepared was taken; release it after what was kept of that, whose
 * heads are its stream's. */
struct preparer {
	struct stream stream;
	struct trails trails;
	struct buf scratch;
};

struct request {
	struct trail trail;	/* its tag set is the preparer's stream's */
	size_t place;		/* of its lines in kept */
};

/* Lines that pass one after the other, whatever requests stand between them,
 * as the clock passes no multiple of the calc interval there. */
struct passage {
	size_t before;		/* so many requests come first */
	int64_t first_ns;	/* time of the first group */
	int64_t earliest_ns, latest_ns;	/* of all */
	int64_t requests;	/* that its points stand for */
	size_t from, n;		/* bytes in passed */
};

enum { PREPARED_SETS = 512 };

/* A zeroed struct is empty. */
struct prepared {
	enum prepare_for purpose;
	struct span text;	/* the piece, borrowed */
	int64_t n_points;
	int64_t requests;	/* PREPARE_LINES: that they stand for */
	int64_t latest_ns;	/* PREPARE_LINES: their latest time */
	struct point *points;	/* PREPARE_POINTS */
	size_t points_cap;
	struct request *list;	/* PREPARE_GROUPS, in order, and this too: */
	size_t n, cap;
	struct passage *passages;
	size_t n_passages, passages_cap;
	struct buf passed;	/* their lines */
	struct line_store kept;
	struct line_store_set sets[PREPARED_SETS];	/* by the set's id */
};

void preparer_release(struct preparer *p);
void prepared_release(struct prepared *p);

/* Fill in out, whose memory is used again. False: text has other lines than
 * points, so that it must be taken line by line. Text is whole lines, each
 * with its '\n'; where groups are wanted, no group goes beyond its ends. */
bool prepare(struct preparer *p, const struct prepare_rule *rule,
    struct span text, struct prepared *out);

/* The first place behind `from` in text where a line begins, and with it, if
 * groups are wanted, surely a group: offset of the line, or 0: there is none.
 * Whoever sees the same bytes from there on finds the same. */
size_t prepare_start(struct preparer *p, const struct prepare_rule *rule,
    struct span text, size_t from);

#endif
