/* SPDX-License-Identifier: MIT */
/* books: what was read and what became of it, for the End line and stderr. */
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
	int64_t points_dropped;		/* the same of points */
	uint64_t folded, aggregates, late;	/* by us */
	int64_t latest_ns;		/* time of all that was counted */
	bool has_latest;
};

void books_release(struct books *b);

/* A time that the stream has. */
void books_note_time(struct books *b, int64_t time_ns);

/* Count the requests that a point stands for by itself. */
void books_add_point(struct books *b, const struct point *p,
    bool is_dropped);

/* Count an aggregate of the input. */
void books_add_aggregate(struct books *b, const struct sample *s,
    bool is_dropped);

/* How the filter ended. */
struct ending {
	int status;		/* to exit with */
	int signal;		/* that ended it; 0: none */
	int64_t clock_ns;	/* latest time of the stream */
	int64_t start_ns;	/* and the earliest, if samples have it; 0 */
	const char *input;	/* its name, for messages */
	const char *cut_input;	/* the one that was cut, if one was */
	bool has_read;		/* a line of the stream */
};

/* For folding and merging: append the trailer, in place of those read, with
 * the books. Of a stream that was cut (it has more Start lines than its
 * trailers are for) it is for the whole streams only, so that it stays cut;
 * and it has none unless requests were dropped, nor has an empty stream. If
 * the filter was ended before its input, the trailer is for all that has
 * begun. Call it once. -1: the stream was cut. */
int books_print_end(struct books *b, const struct ending *ending,
    struct buf *out);

/* Otherwise the trailers of the input have passed: append one more, for no
 * stream, if requests were dropped, or if the filter was ended before its
 * input, then for the streams that lack theirs. */
void books_print_rest(const struct books *b, const struct ending *ending,
    struct buf *out);

/* Is there a Start line without an End line? */
bool books_lack_end(const struct books *b);

/* How the stream says that its run ended, for people; "cut" if a Start line
 * has no End line, "its head is missing" the other way round; NULL: the
 * generator writes neither. */
const char *books_state(const struct books *b);

/* Tell of a stream that is not whole. */
void books_warn_cut(const struct books *b, const char *input);

/* Is the stream whole: as many End lines as Start lines, and all requests that
 * the End lines count, if so many came and were not dropped here? That is not
 * known of k6's own, which has neither. Tells of requests that are missing. */
bool books_check_whole(const struct books *b, int64_t requests,
    const char *input);

/* Report on stderr. */
void books_report(const struct books *b, bool with_requests);

#endif
