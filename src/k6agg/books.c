/* SPDX-License-Identifier: MIT */
/* The books: counts of the input, for the End line and for stderr. */
#include "k6agg/books.h"

#include <inttypes.h>
#include <stdio.h>

#define TOOL SPAN("k6agg " K6PIPE_VERSION)

void
books_release(struct books *b)
{
	run_ends_release(&b->ends);
}

void
books_note_time(struct books *b, int64_t time_ns)
{
	if (!b->has_latest || time_ns > b->latest_ns)
		b->latest_ns = time_ns;
	b->has_latest = true;
}

void
books_add_point(struct books *b, const struct point *p, bool is_dropped)
{
	int64_t n = point_requests(p->metric->name, p->value);

	b->requests += n;
	if (is_dropped) {
		b->dropped += n;
		b->points_dropped++;
	}
	if (!is_dropped || n > 0)
		books_note_time(b, p->time_ns);
}

void
books_add_aggregate(struct books *b, const struct sample *s, bool is_dropped)
{
	books_note_time(b, s->aggregate->time_ns);
	b->points += (int64_t)sample_points(s);
	b->requests += (int64_t)sample_requests(s);
	*(is_dropped ? &b->dropped : &b->folded_before) +=
	    (int64_t)sample_requests(s);
	if (is_dropped)
		b->points_dropped += (int64_t)sample_points(s);
}

static int64_t
folded(const struct books *b)
{
	return (int64_t)b->folded + b->folded_before;
}

/* What was passed on is not all there was: the next reader must know. Of the
 * streams that lack their trailer this one is it. */
static void
note_failure(struct run_end *end, const struct ending *ending)
{
	if (ending->signal != 0) {
		end->run_status = RUN_ABORTED_BY_USER;
		end->exit_code = EXIT_INTERRUPTED;
	}
	if (ending->status == EXIT_FAILED) {
		end->run_status = RUN_ABORTED_BY_SYSTEM;
		end->exit_code = EXIT_FAILED;
	}
	if (ending->clock_ns > end->time_ns)
		end->time_ns = ending->clock_ns;
}

static int64_t
beyond(int64_t all, int64_t told)
{
	return all > told ? all - told : 0;
}

/* Requests that were made as far as is known here: those read, and those that
 * a k6agg before dropped. */
static int64_t
known_requests(const struct books *b)
{
	return b->requests + b->ends.end.dropped;
}

bool
books_lack_end(const struct books *b)
{
	return b->starts > b->ends.end.streams;
}

void
books_print_rest(const struct books *b, const struct ending *ending,
    struct buf *out)
{
	const struct run_end *told = &b->ends.end;
	struct run_end end = { .run_status = RUN_FINISHED, .tool = TOOL,
	    .points = beyond(b->points, told->points),
	    .requests = beyond(known_requests(b), told->requests),
	    .folded = beyond(b->folded_before, told->folded),
	    .passed = beyond(b->requests - b->folded_before - b->dropped,
	    told->passed), .dropped = b->dropped,
	    .points_dropped = b->points_dropped, .skipped = b->bad.n };

	/* Of points only the generator's trailer says how many there are. */
	if (ending->status == EXIT_DONE && b->dropped == 0 &&
	    (b->points_dropped == 0 || b->ends.n == 0))
		return;
	if (ending->status != EXIT_DONE) {
		end.streams = beyond(b->starts, told->streams);
		note_failure(&end, ending);
	} else {
		end.time_ns = ending->clock_ns;
		end.is_books = true;
		if (books_lack_end(b))
			end.run_status = RUN_ABORTED_BY_SYSTEM;
	}
	run_end_print(&end, out);
}

int
books_print_end(struct books *b, const struct ending *ending, struct buf *out)
{
	struct run_end *end = &b->ends.end;
	bool has_failed = ending->status != EXIT_DONE;
	bool cut = books_lack_end(b) && !has_failed;
	int64_t requests = known_requests(b);

	if (b->points == 0 && b->starts == 0 && b->ends.n == 0 && !has_failed)
		return 0;
	if (cut && b->dropped + end->dropped == 0)
		return -1;
	if (b->ends.n == 0)
		*end = (struct run_end){ .run_status = RUN_FINISHED,
		    .is_books = b->starts == 0,
		    .time_ns = ending->clock_ns };
	/* The trailer of a cut stream is for the streams that are whole. */
	if (cut)
		end->run_status = RUN_ABORTED_BY_SYSTEM;
	else if (end->streams < b->starts)
		end->streams = b->starts;
	/* Of streams without a trailer nobody has said what was made. */
	if (end->points < b->points)
		end->points = b->points;
	if (end->requests < requests)
		end->requests = requests;
	if (has_failed) {
		note_failure(end, ending);
		end->is_books = false;
	}
	if (b->starts == 0 && ending->start_ns != 0 && (end->start_ns == 0 ||
	    ending->start_ns < end->start_ns))
		end->start_ns = ending->start_ns;
	end->tool = TOOL;
	end->folded = folded(b);
	end->passed = b->requests - end->folded - b->dropped;
	end->dropped += b->dropped;
	end->points_dropped += b->points_dropped;
	end->late += (int64_t)b->late;
	end->skipped += b->bad.n;
	run_end_print(end, out);
	return cut ? -1 : 0;
}

static bool
lacks_head(const struct books *b)
{
	return b->ends.end.streams > b->starts;
}

const char *
books_state(const struct books *b)
{
	if (books_lack_end(b))
		return "cut";
	if (lacks_head(b))
		return "its head is missing";
	return b->ends.n > 0 && !b->ends.end.is_books ?
	    run_status_name(b->ends.end.run_status) : NULL;
}

void
books_warn_cut(const struct books *b, const char *input)
{
	struct buf what = { 0 };

	if (run_tell_cut(b->starts, &b->ends, &what))
		warnf("%s: %s", input, what.p);
	buf_release(&what);
}

bool
books_check_whole(const struct books *b, int64_t requests, const char *input)
{
	int64_t missing = b->ends.end.requests - b->ends.end.dropped -
	    b->dropped - requests;

	if (b->ends.n > 0 && missing > 0)
		warnf("%s: %" PRId64 " of %" PRId64 " requests that the End "
		    "line counts %s missing", input, missing,
		    b->ends.end.requests, missing == 1 ? "is" : "are");
	return b->starts == b->ends.end.streams && (b->ends.n == 0 ||
	    missing <= 0);
}

void
books_report(const struct books *b, bool with_requests)
{
	char dropped[40] = "";

	if (b->bad.n > 0)
		warnf("%" PRId64 " line%s skipped that %s not belong to the "
		    "stream", b->bad.n, b->bad.n == 1 ? "" : "s",
		    b->bad.n == 1 ? "does" : "do");
	if (!with_requests)
		return;
	if (b->dropped > 0)
		(void)snprintf(dropped, sizeof(dropped), " + %" PRId64
		    " dropped", b->dropped);
	warnf("%" PRId64 " requests in = %" PRId64 " folded into %" PRIu64
	    " aggregates + %" PRId64 " passed%s", b->requests, folded(b),
	    b->aggregates, b->requests - folded(b) - b->dropped, dropped);
}
