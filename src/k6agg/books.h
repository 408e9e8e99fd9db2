/* SPDX-License-Identifier: MIT */
/* books: what came in and what became of it, as End line and on stderr. */
#ifndef K6PIPE_K6AGG_BOOKS_H
#define K6PIPE_K6AGG_BOOKS_H

#include "base/die.h"
#include "base/lines.h"
#include "data/run.h"
#include "data/sample.h"

/* A zeroed struct is empty. */
struct books {
	int starts;			/* Start lines */
	struct run_ends ends;		/* End lines */
	struct bad_lines bad;
	int64_t points, requests;	/* in */
	int64_t folded_before;		/* of them, in aggregates already */
	int64_t dropped;		/* of them, left out by choice */
	uint64_t folded, aggregates, late;	/* by us */
};

void books_release(struct books *b);

/* Count an aggregate of the input. */
void books_add_aggregate(struct books *b, const struct sample *s,
    bool is_dropped);

/* How the filter ended. */
struct ending {
	int status;		/* to exit with */
	int signal;		/* that ended it; 0: none */
	int64_t clock_ns;	/* latest time of the stream */
};

/* Write the trailer: the generator's, or one of our own, with the books. It is
 * for all that has begun if the filter was ended before the input was. None
 * for a stream without points, nor for one that was cut: it has more Start
 * lines than trailers, and stays so. -1: cut. */
int books_print_end(struct books *b, const struct ending *ending,
    struct buf *out);

/* Without folding the trailers of the input have passed; after a failure one
 * more is written, for what they do not tell. */
void books_print_rest(const struct books *b, const struct ending *ending,
    struct buf *out);

/* Report on stderr. */
void books_report(const struct books *b, bool with_requests);

#endif
