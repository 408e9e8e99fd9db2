/* SPDX-License-Identifier: MIT */
#include "k6agg/agg.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/units.h"
#include "data/stream.h"
#include "k6agg/ahead.h"
#include "k6agg/books.h"
#include "k6agg/fold.h"
#include "k6agg/live.h"
#include "k6agg/source.h"
#include "k6agg/summary.h"

enum { LONGEST_WAIT_MS = 200, TAG_SETS_MAX = 20000, BATCH = 128 };

struct agg {
	const struct options *options;
	const volatile sig_atomic_t *stop;
	struct sources sources;
	struct stream stream;
	struct folding folding;
	struct out out;
	struct books books;
	struct summary *summary;	/* NULL: lines are written */
	struct select *select;		/* NULL: all is kept as it is */
	struct live live;
	struct buf selected;		/* scratch: lines */
	struct ahead *ahead;		/* reads the source; NULL: we do */
	struct point batch[BATCH];	/* scratch */
	struct buf last_line;		/* of an input without a newline */
};

/* With the books on stderr and in a trailer of our own. */
static bool
has_books(const struct agg *agg)
{
	return folding_is_on(&agg->folding) || agg->options->is_merge;
}

/* The clock goes on with the latest time seen. With --merge each source has
 * one, which a time far behind sets back: another stream begins, as `cat a b`
 * writes it. */
static void
advance_clock(struct agg *agg, int64_t time_ns)
{
	struct source *source = agg->sources.at;
	const struct folding *f = &agg->folding;
	int64_t behind_ns, clock_ns;

	if (source->has_clock && time_ns <= source->clock_ns) {
		if (!f->is_merging || __builtin_sub_overflow(source->clock_ns,
		    time_ns, &behind_ns) || behind_ns < f->wait_ns +
		    f->calc_ns + f->buckets.rule.period_ns)
			return;
	}
	source->clock_ns = time_ns;
	source->has_clock = true;
	if (!f->is_merging)
		folding_tick(&agg->folding, time_ns);
	else if (folding_is_on(f) && sources_clock(&agg->sources, &clock_ns))
		folding_tick(&agg->folding, clock_ns);
}

static void
take_group(void *ctx, const struct group_out *g)
{
	struct agg *agg = ctx;

	advance_clock(agg, g->points[0].time_ns);
	folding_take(&agg->folding, g);
}

/* Points that pass as they are. */
static void
pass_points(struct agg *agg, const struct point *points, int n,
    struct span text)
{
	int i;

	for (i = 0; i < n; i++) {
		if (agg->folding.is_merging)
			advance_clock(agg, points[i].time_ns);
		agg->books.requests += folding_requests_of(&points[i]);
	}
	if (agg->sources.at->in.had_newline)
		out_lines(&agg->out, text);
	else
		out_line(&agg->out, points[0].line, false);
}

/* A line was left out by choice. */
static void
drop_point(struct agg *agg, const struct point *p)
{
	agg->books.requests += folding_requests_of(p);
	agg->books.dropped += folding_requests_of(p);
}

static bool
is_of_request(const struct point *p)
{
	int i;

	for (i = 0; i < TIMINGS; i++)
		if (span_is(p->metric->name, timing_names[i]))
			return true;
	return span_is(p->metric->name, "http_reqs") ||
	    span_is(p->metric->name, "http_req_failed");
}

/* Take n points with the tags they are to have. While requests are folded they
 * stay whole: which of their lines pass is decided when they do. */
static void
select_points(struct agg *agg, const struct point *points, int n)
{
	bool is_folding = folding_is_on(&agg->folding) &&
	    agg->summary == NULL;
	const struct selected *selected;
	struct point p;
	int i;

	buf_reset(&agg->selected);
	for (i = 0; i < n; i++) {
		selected = select_point(agg->select, &points[i]);
		p = points[i];
		p.tags = selected->tags;
		if (!(is_folding && is_of_request(&p)
		    ? selected->is_request_kept : selected->is_kept)) {
			drop_point(agg, &p);
		} else if (agg->summary != NULL) {
			summary_add_point(agg->summary, &p);
		} else if (is_folding) {
			trails_add_all(&agg->sources.at->trails, &p, 1,
			    take_group, agg);
		} else {
			if (agg->folding.is_merging)
				advance_clock(agg, p.time_ns);
			agg->books.requests += folding_requests_of(&p);
			select_print(&p, selected, &agg->selected);
		}
	}
	if (agg->selected.n > 0)
		out_lines(&agg->out, buf_whole(&agg->selected));
}

/* Write what is selected of lines that passed the folding; for folding. */
static void
filter_lines(void *ctx, struct span lines, bool is_request)
{
	const char *at = lines.p, *end = lines.p + lines.n, *newline;
	const struct selected *selected;
	struct agg *agg = ctx;
	struct line line;
	struct why why;
	int64_t n;

	buf_reset(&agg->selected);
	for (; at < end; at = newline + 1) {
		newline = memchr(at, '\n', (size_t)(end - at));
		if (stream_read(&agg->stream, (struct span){ at,
		    (size_t)(newline - at) }, &line, &why) != LINE_POINT)
			continue;	/* cannot be: it was one before */
		selected = select_point(agg->select, &line.point);
		n = folding_requests_of(&line.point);
		if (selected->is_kept)
			select_print(&line.point, selected, &agg->selected);
		else
			agg->books.dropped += is_request && n > 1 ? 1 : n;
	}
	out_lines(&agg->out, buf_whole(&agg->selected));
	buf_reset(&agg->selected);
}

/* Take n points, whose lines are text, each with its newline. */
static void
take_points(struct agg *agg, const struct point *points, int n,
    struct span text)
{
	int i;

	agg->books.points += n;
	for (i = 0; agg->live.is_on && i < n; i++)
		live_add_point(&agg->live, &points[i]);
	if (agg->select != NULL)
		select_points(agg, points, n);
	else if (agg->summary != NULL)
		for (i = 0; i < n; i++)
			summary_add_point(agg->summary, &points[i]);
	else if (folding_is_on(&agg->folding))
		trails_add_all(&agg->sources.at->trails, points, n,
		    take_group, agg);
	else
		pass_points(agg, points, n, text);
}

/* Take one point; the last line of an input may lack its newline. */
static void
take_point(struct agg *agg, const struct point *p)
{
	bool had_newline = agg->sources.at->in.had_newline;
	struct point whole = *p;

	if (!had_newline) {
		buf_reset(&agg->last_line);
		buf_span(&agg->last_line, p->line);
		buf_char(&agg->last_line, '\n');
		whole.line.p = agg->last_line.p;
	}
	take_points(agg, &whole, 1, (struct span){ whole.line.p,
	    whole.line.n + 1 });
}

/* Take the points that come next and whose frames are known; false: none.
 * Inputs that are read side by side are compared after each of them. */
static bool
take_framed(struct agg *agg, struct lines *in)
{
	int max = agg->folding.is_merging ? 1 : BATCH, n;
	struct span text = lines_peek(in);
	size_t bytes;

	if (agg->ahead != NULL && ahead_is_busy(agg->ahead))
		return false;	/* the other thread has the stream */
	n = stream_points(&agg->stream, text, agg->batch, max, &bytes);
	if (n == 0)
		return false;
	lines_pass(in, bytes, n);
	take_points(agg, agg->batch, n, (struct span){ text.p, bytes });
	return true;
}

/* Returns 1 if the line is not to pass as it is. */
static int
take_aggregate(void *ctx, const struct sample *sample)
{
	const struct selected *selected = NULL;
	struct sample s = *sample;
	struct aggregate a = *s.aggregate;
	struct agg *agg = ctx;

	s.aggregate = &a;
	live_add_sample(&agg->live, &s);
	if (agg->select != NULL) {
		selected = select_tags(agg->select, a.tags);
		a.tags = s.tags = selected->tags;
	}
	books_add_aggregate(&agg->books, &s, selected != NULL &&
	    !selected->is_request_kept);
	if (selected != NULL && !selected->is_request_kept)
		return 1;
	if (agg->summary != NULL)
		summary_add_sample(agg->summary, &s);
	else if (agg->folding.is_merging)
		folding_merge(&agg->folding, &a);
	else if (selected != NULL && selected->is_changed)
		out_aggregate(&agg->out, &a);
	else
		return 0;
	return 1;
}

/* True if a Metric line may pass. */
static bool
selects_metric(const struct agg *agg, struct span text)
{
	struct span key, name = { "", 0 };
	struct json j = json_of(text);

	if (agg->select == NULL)
		return true;
	(void)json_enter(&j, '{');
	while (json_member(&j, &key))
		if (!span_is(key, "metric") || !json_text(&j, &name))
			(void)json_skip(&j);
	return select_metric(agg->select, name);
}

/* Count a line that is not taken. -1: --strict makes it fatal. */
static int
refuse(struct agg *agg, struct span text, const char *why)
{
	const struct lines *in = &agg->sources.at->in;

	live_clear(&agg->live);
	if (agg->options->is_strict && (text.n == 0 || text.p[0] != '{'))
		warnf("%s:%" PRId64 ": %s", in->name, in->number, why);
	bad_lines_add(&agg->books.bad, in, text, why);
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
	int status;

	switch (stream_read(&agg->stream, text, &line, &why)) {
	case LINE_POINT:
		take_point(agg, &line.point);
		return 0;
	case LINE_BLANK:
		return 0;
	case LINE_BAD:
		is_bad = true;
		break;
	case LINE_AGGREGATED:
		j = json_of(text);
		status = sample_parse(&j, &agg->stream.tags, take_aggregate,
		    agg, &why);
		if (status > 0)
			return 0;
		is_bad = status < 0;
		break;
	case LINE_END:
		is_bad = run_end_parse(&end, line.data, &why) < 0;
		if (is_bad)
			break;
		run_ends_add(&agg->books.ends, &end);
		if (has_books(agg))
			return 0;	/* written, with our books, at the end */
		break;
	case LINE_START:
		agg->books.starts++;
		break;
	case LINE_METRIC:
		if (!selects_metric(agg, text))
			return 0;
		break;
	case LINE_OTHER:
		break;
	}
	if (is_bad)
		return refuse(agg, text, why.text);
	if (agg->summary == NULL)
		out_line(&agg->out, text, agg->sources.at->in.had_newline);
	return 0;
}

/* Before the memory of the lines goes. Many tag sets may be forgotten while
 * no point is held. */
static void
settle(struct agg *agg)
{
	if (!sources_settle(&agg->sources) ||
	    (agg->ahead != NULL && ahead_is_busy(agg->ahead)) ||
	    agg->stream.tags.n <= TAG_SETS_MAX)
		return;
	if (agg->select != NULL)
		select_trim(agg->select, TAG_SETS_MAX);
	stream_trim(&agg->stream, TAG_SETS_MAX);
	if (agg->summary != NULL)
		summary_forget_tags(agg->summary);
}

static void
draw_live(struct agg *agg)
{
	live_draw(&agg->live, (int64_t)agg->folding.buckets.folded +
	    agg->books.folded_before);
}

/* Wait for input, or until there is to be no more. While a live stream is
 * silent, its clock goes on with ours, and what was written is seen by the
 * next tool. */
static void
wait_for_input(struct agg *agg)
{
	const struct lines *in = &agg->sources.at->in;
	struct pollfd p = { .fd = lines_fd(in), .events = POLLIN };
	int64_t silent_since = now_monotonic_ns(), now;
	int64_t calc_ns = agg->folding.calc_ns;
	int64_t next_ns = silent_since + calc_ns;
	int timeout = calc_ns < LONGEST_WAIT_MS * NS_PER_MS
	    ? (int)(calc_ns / NS_PER_MS) + 1 : LONGEST_WAIT_MS;

	if (p.fd < 0 || poll(&p, 1, 0) > 0)
		return;
	(void)fflush(stdout);
	while (!lines_must_stop(in, *agg->stop) &&
	    poll(&p, 1, timeout) <= 0) {
		draw_live(agg);
		now = now_monotonic_ns();
		if (!folding_is_on(&agg->folding) ||
		    agg->folding.is_merging || now < next_ns)
			continue;
		folding_idle(&agg->folding, now - silent_since);
		(void)fflush(stdout);
		next_ns = now + calc_ns;
	}
}

/* Take the lines that are in memory, until the source's clock has passed
 * limit_ns. -1: a bad line and --strict. *is_dry: there are no more. */
static int
take_lines(struct agg *agg, int64_t limit_ns, bool *is_dry)
{
	struct source *source = agg->sources.at;
	enum lines_result got;
	struct span text;

	*is_dry = false;
	while (!source->has_clock || source->clock_ns <= limit_ns) {
		/* Where memory ends a request may always be half way. */
		if (agg->stream.tags.n > TAG_SETS_MAX)
			settle(agg);
		if (take_framed(agg, &source->in)) {
			if (ferror(stdout))
				return 0;
			continue;
		}
		got = lines_take(&source->in, &text);
		*is_dry = got == LINES_MORE;
		if (*is_dry)
			return 0;
		if (got == LINES_LONG ? refuse(agg, SPAN("{"),
		    LINES_LONG_WHY) < 0 : take_line(agg, text) < 0)
			return -1;
		/* The reader has gone: nobody wants the rest. */
		if (ferror(stdout))
			return 0;
	}
	return 0;
}

/* Take the next block of a file that is read ahead. False: its end. */
static bool
take_block(struct agg *agg, struct lines *in)
{
	const struct point *points;
	size_t bytes;
	int n;

	if (!ahead_next(agg->ahead, &points, &n, &bytes)) {
		ahead_stop(agg->ahead);
		agg->ahead = NULL;
		return false;
	}
	if (n > 0) {
		struct span text = { lines_peek(in).p, bytes };

		lines_pass(in, bytes, n);
		take_points(agg, points, n, text);
	}
	return true;
}

/* As lines_fill, with the help of a second core where that can be. */
static int
fill(struct agg *agg, struct lines *in, struct why *why)
{
	bool is_new = in->fd < 0;
	int more;

	if (agg->ahead != NULL && take_block(agg, in))
		return 1;
	more = lines_fill(in, why);
	if (more > 0 && is_new && !agg->folding.is_merging &&
	    agg->select == NULL)
		agg->ahead = ahead_start(&agg->stream, in);
	return more;
}

/* Nothing more comes from the source. */
static void
end_source(struct agg *agg, struct source *source)
{
	int64_t clock_ns;

	trails_end(&source->trails, take_group, agg);
	source->is_at_end = true;
	if (agg->folding.is_merging && folding_is_on(&agg->folding) &&
	    sources_clock(&agg->sources, &clock_ns))
		folding_tick(&agg->folding, clock_ns);
}

/* Read all input. Returns 0, or -1 after a bad line with --strict. */
static int
read_all(struct agg *agg)
{
	struct source *source;
	int64_t limit_ns;
	struct why why;
	bool is_dry;
	int more;

	while ((source = sources_next(&agg->sources, agg->folding.calc_ns,
	    &limit_ns)) != NULL) {
		agg->folding.source = (uint32_t)(source - agg->sources.list);
		if (take_lines(agg, limit_ns, &is_dry) < 0)
			return -1;
		if (ferror(stdout))
			return 0;
		if (!is_dry)
			continue;
		draw_live(agg);
		wait_for_input(agg);
		if (lines_must_stop(&source->in, *agg->stop))
			return 0;
		settle(agg);
		more = fill(agg, &source->in, &why);
		if (more < 0) {
			live_clear(&agg->live);
			warnf("%s", why.text);
		}
		if (more == 0)
			end_source(agg, source);
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
	size_t i;

	for (i = 0; i < agg->sources.n; i++)
		end_source(agg, &agg->sources.list[i]);
	folding_end(&agg->folding);
	books->requests += agg->folding.requests;
	books->folded = buckets->folded;
	books->aggregates = agg->folding.is_merging ? agg->folding.merged.n
	    : buckets->aggregates;
	/* Merged, it does not matter when they came. */
	books->late = agg->folding.is_merging ? 0 : buckets->late;
	if (!has_books(agg)) {
		if (status != EXIT_DONE)
			books_print_failure(&ending, &line);
	} else if (books_print_end(books, &ending, &line) < 0) {
		warnf("%s: the stream was cut: it has a Start and no End",
		    agg->sources.at->in.name);
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

static void
init(struct agg *agg, const struct options *o, char *const *files, int n)
{
	bool is_summary = o->is_summary || o->is_json;

	if (is_summary) {
		agg->summary = xcalloc(1, sizeof(*agg->summary));
		agg->summary->max_rows = (size_t)o->max_series;
	}
	if (o->is_live)
		live_init(&agg->live);
	folding_init(&agg->folding, &o->settings, &agg->out, o->max_series);
	agg->folding.is_merging = o->is_merge && !is_summary;
	if (agg->select != NULL)
		agg->folding.filter = filter_lines;
	agg->folding.filter_ctx = agg;
	sources_init(&agg->sources, files, n, agg->folding.is_merging);
}

static void
release(struct agg *agg)
{
	sources_release(&agg->sources);
	folding_release(&agg->folding);
	stream_release(&agg->stream);
	books_release(&agg->books);
	out_release(&agg->out);
	live_release(&agg->live);
	buf_release(&agg->last_line);
	buf_release(&agg->selected);
}

int
agg_run(const struct options *o, char *const *files, int n,
    const volatile sig_atomic_t *stop)
{
	struct agg agg = { .options = o, .stop = stop, .select = o->select };
	int status, error;

	init(&agg, o, files, n);
	status = read_all(&agg) < 0 || sources_failed(&agg.sources) > 0
	    ? EXIT_FAILED
	    : *stop != 0 ? EXIT_INTERRUPTED : EXIT_DONE;
	if (agg.summary != NULL)
		print_summary(&agg);
	else
		drain(&agg, status);
	live_end(&agg.live, (int64_t)agg.books.folded +
	    agg.books.folded_before);
	books_report(&agg.books, has_books(&agg) && agg.summary == NULL &&
	    !o->is_quiet);
	if (agg.ahead != NULL)
		ahead_stop(agg.ahead);
	error = agg.out.error;
	release(&agg);
	return close_stdout_after(error, status);
}
