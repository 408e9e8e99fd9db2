/* SPDX-License-Identifier: MIT */
#include "k6agg/agg.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/units.h"
#include "data/stream.h"
#include "k6agg/books.h"
#include "k6agg/fold.h"
#include "k6agg/summary.h"

enum { LONGEST_WAIT_MS = 200, TAG_SETS_MAX = 20000 };

struct agg {
	const struct options *options;
	const volatile sig_atomic_t *stop;
	struct lines in;
	struct stream stream;
	struct folding folding;
	struct out out;
	struct books books;
	struct summary *summary;	/* NULL: lines are written */
};

static void
take_point(struct agg *agg, const struct point *p, struct span text)
{
	agg->books.points++;
	if (agg->summary != NULL) {
		summary_add_point(agg->summary, p);
		return;
	}
	if (folding_is_on(&agg->folding)) {
		folding_add(&agg->folding, p);
		return;
	}
	agg->books.requests += folding_requests_of(p);
	out_line(&agg->out, text, agg->in.had_newline);
}

static int
take_aggregate(void *ctx, const struct sample *s)
{
	struct agg *agg = ctx;

	books_add_aggregate(&agg->books, s);
	if (agg->summary != NULL && s->kind == SAMPLE_AGGREGATE)
		summary_add_sample(agg->summary, s);
	return 0;
}

/* Count a line that is not taken. -1: --strict makes it fatal. */
static int
refuse(struct agg *agg, struct span text, const char *why)
{
	if (agg->options->is_strict && (text.n == 0 || text.p[0] != '{'))
		warnf("%s:%" PRId64 ": %s", agg->in.name, agg->in.number, why);
	bad_lines_add(&agg->books.bad, &agg->in, text, why);
	return agg->options->is_strict ? -1 : 0;
}

/* Take one line. -1: it is bad and --strict was given. */
static int
take_line(struct agg *agg, struct span text)
{
	struct run_end end;
	struct line line;
	struct json j;
	struct why why;
	bool is_bad = false;

	switch (stream_read(&agg->stream, text, &line, &why)) {
	case LINE_POINT:
		take_point(agg, &line.point, text);
		return 0;
	case LINE_BLANK:
		return 0;
	case LINE_BAD:
		is_bad = true;
		break;
	case LINE_AGGREGATED:
		j = json_of(text);
		is_bad = sample_parse(&j, &agg->stream.tags, take_aggregate,
		    agg, &why) < 0;
		break;
	case LINE_END:
		is_bad = run_end_parse(&end, line.data, &why) < 0;
		if (is_bad)
			break;
		run_ends_add(&agg->books.ends, &end);
		if (folding_is_on(&agg->folding))
			return 0;	/* written, with our books, at the end */
		break;
	case LINE_START:
		agg->books.starts++;
		break;
	case LINE_METRIC:
	case LINE_OTHER:
		break;
	}
	if (is_bad)
		return refuse(agg, text, why.text);
	if (agg->summary == NULL)
		out_line(&agg->out, text, agg->in.had_newline);
	return 0;
}

/* Many tag sets may be forgotten while nobody holds one. */
static void
trim(struct agg *agg)
{
	if (agg->stream.tags.n <= TAG_SETS_MAX ||
	    !folding_is_empty(&agg->folding))
		return;
	stream_trim(&agg->stream, TAG_SETS_MAX);
	if (agg->summary != NULL)
		summary_forget_tags(agg->summary);
}

/* Wait for input, or until there is to be no more. While a live stream is
 * silent, its clock goes on with ours, and what was written is seen by the
 * next tool. */
static void
wait_for_input(struct agg *agg)
{
	struct pollfd p = { .fd = lines_fd(&agg->in), .events = POLLIN };
	int64_t silent_since = now_monotonic_ns(), now;
	int64_t calc_ns = agg->folding.calc_ns;
	int64_t next_ns = silent_since + calc_ns;
	int timeout = calc_ns < LONGEST_WAIT_MS * NS_PER_MS
	    ? (int)(calc_ns / NS_PER_MS) + 1 : LONGEST_WAIT_MS;

	if (p.fd < 0 || poll(&p, 1, 0) > 0)
		return;
	(void)fflush(stdout);
	while (!lines_must_stop(&agg->in, *agg->stop) &&
	    poll(&p, 1, timeout) <= 0) {
		now = now_monotonic_ns();
		if (!folding_is_on(&agg->folding) || now < next_ns)
			continue;
		folding_idle(&agg->folding, now - silent_since);
		(void)fflush(stdout);
		next_ns = now + calc_ns;
	}
}

/* Read all input. Returns 0, or -1 after a bad line with --strict. */
static int
read_all(struct agg *agg)
{
	enum lines_result got;
	struct span text;
	struct why why;
	int more = 1;

	while (more != 0) {
		wait_for_input(agg);
		if (lines_must_stop(&agg->in, *agg->stop))
			return 0;
		trim(agg);
		more = lines_fill(&agg->in, &why);
		if (more < 0)
			warnf("%s", why.text);
		while ((got = lines_take(&agg->in, &text)) != LINES_MORE) {
			if (got == LINES_LONG ? refuse(agg, SPAN("{"),
			    LINES_LONG_WHY) < 0 : take_line(agg, text) < 0)
				return -1;
			/* The reader has gone: nobody wants the rest. */
			if (ferror(stdout))
				return 0;
		}
	}
	return 0;
}

/* Write what is still held, and the trailer. */
static void
drain(struct agg *agg, int status)
{
	struct ending ending = { status, *agg->stop, agg->folding.clock_ns };
	const struct buckets *buckets = &agg->folding.buckets;
	struct books *books = &agg->books;
	struct buf line = { 0 };

	folding_end(&agg->folding);
	books->requests += agg->folding.requests;
	books->folded = buckets->folded;
	books->aggregates = buckets->aggregates;
	books->late = buckets->late;
	if (!folding_is_on(&agg->folding)) {
		if (status != EXIT_DONE)
			books_print_failure(&ending, &line);
	} else if (books_print_end(books, &ending, &line) < 0) {
		warnf("%s: the stream was cut: it has a Start and no End",
		    agg->in.name);
	}
	if (line.n > 0)
		out_lines(&agg->out, buf_whole(&line));
	buf_release(&line);
}

static void
print_summary(struct agg *agg)
{
	struct summary_view v;

	summary_view(agg->summary, &v);
	v.skipped = agg->books.bad.n;
	if (agg->options->is_json)
		summary_print_json(&v, stdout);
	else
		summary_print_text(&v, stdout);
	summary_view_release(&v);
	summary_release(agg->summary);
	free(agg->summary);
}

int
agg_run(const struct options *o, char *const *files, int n,
    const volatile sig_atomic_t *stop)
{
	struct agg agg = { .options = o, .stop = stop };
	int status;

	if (o->is_summary || o->is_json) {
		agg.summary = xcalloc(1, sizeof(*agg.summary));
		agg.summary->max_rows = (size_t)o->max_series;
	}
	folding_init(&agg.folding, &o->settings, &agg.out);
	lines_init(&agg.in, files, n);
	status = read_all(&agg) < 0 || agg.in.n_failed > 0 ? EXIT_FAILED
	    : *stop != 0 ? EXIT_INTERRUPTED : EXIT_DONE;
	if (agg.summary != NULL)
		print_summary(&agg);
	else
		drain(&agg, status);
	books_report(&agg.books, folding_is_on(&agg.folding) &&
	    agg.summary == NULL && !o->is_quiet);
	lines_release(&agg.in);
	stream_release(&agg.stream);
	folding_release(&agg.folding);
	books_release(&agg.books);
	out_release(&agg.out);
	return status;
}
