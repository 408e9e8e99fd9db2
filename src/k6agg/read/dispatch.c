/* SPDX-License-Identifier: MIT */
/* Each line of the input, to the stage that wants it. */
#include "k6agg/read/dispatch.h"

#include <inttypes.h>

static void
note_time(struct source *source, int64_t time_ns)
{
	if (!source->has_time || time_ns > source->latest_ns)
		source->latest_ns = time_ns;
	source->has_time = true;
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
	note_time(source, time_ns);
	source->clock_ns = time_ns;
	source->has_clock = true;
	if (!f->is_merging)
		folding_tick(&agg->folding, time_ns);
	else if (folding_is_on(f) && sources_clock(&agg->sources, &clock_ns))
		folding_tick(&agg->folding, clock_ns);
}

/* Requests stay whole: to be folded, or while lines of several inputs
 * alternate. */
static bool
has_groups(const struct agg *agg)
{
	return folding_is_on(&agg->folding) || agg->folding.is_merging;
}

void
dispatch_group(void *ctx, const struct group_out *g)
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
		agg->books.requests += folding_requests_of(&points[i]);
		note_time(agg->sources.at, points[i].time_ns);
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
	int64_t n = folding_requests_of(p);

	if (n > 0)
		note_time(agg->sources.at, p->time_ns);
	agg->books.requests += n;
	agg->books.dropped += n;
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
	bool is_folding = has_groups(agg) && agg->summary == NULL;
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
			    dispatch_group, agg);
		} else {
			agg->books.requests += folding_requests_of(&p);
			note_time(agg->sources.at, p.time_ns);
			select_print(&p, selected, &agg->selected);
		}
	}
	if (agg->selected.n > 0)
		out_lines(&agg->out, buf_whole(&agg->selected));
}

/* Write what is selected of lines that passed the folding; for folding. */
void
dispatch_filtered(void *ctx, struct span lines, bool is_request)
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
void
dispatch_points(struct agg *agg, const struct point *points, int n,
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
	else if (has_groups(agg))
		trails_add_all(&agg->sources.at->trails, points, n,
		    dispatch_group, agg);
	else
		pass_points(agg, points, n, text);
}

/* Take one point; the last line of an input may lack its newline. */
static void
dispatch_point(struct agg *agg, const struct point *p)
{
	bool had_newline = agg->sources.at->in.had_newline;
	struct point whole = *p;

	if (!had_newline) {
		buf_reset(&agg->last_line);
		buf_span(&agg->last_line, p->line);
		buf_char(&agg->last_line, '\n');
		whole.line.p = agg->last_line.p;
	}
	dispatch_points(agg, &whole, 1, (struct span){ whole.line.p,
	    whole.line.n + 1 });
}

/* Take the points that come next and whose frames are known; false: none.
 * Inputs that are read side by side are compared after each of them. */
bool
dispatch_framed(struct agg *agg, struct lines *in)
{
	int max = agg->folding.is_merging ? 1 : BATCH, n;
	struct span text = lines_peek(in);
	size_t bytes;

	n = stream_points(&agg->stream, text, agg->batch, max, &bytes);
	if (n == 0)
		return false;
	lines_pass(in, bytes, n);
	dispatch_points(agg, agg->batch, n, (struct span){ text.p, bytes });
	return true;
}

/* The metric of our stream, whose type is known, for one of another's. */
static const struct metric *
our_metric(struct agg *agg, const struct metric *theirs)
{
	struct metric_link *l = &agg->links[(uintptr_t)theirs / 32 %
	    METRIC_LINKS];

	if (l->theirs != theirs)
		*l = (struct metric_link){ theirs, metrics_get(
		    &agg->stream.metrics, theirs->name) };
	return l->ours;
}

static void
dispatch_groups(struct agg *agg, const struct prepared *p)
{
	const struct passage *passage = p->passages;
	const struct passage *end = passage + p->n_passages;
	size_t i;

	for (i = 0; i <= p->n; i++) {
		for (; passage < end && passage->before == i; passage++) {
			advance_clock(agg, passage->first_ns);
			folding_pass(&agg->folding, (struct span){
			    p->passed.p + passage->from, passage->n },
			    passage->requests);
			advance_clock(agg, passage->latest_ns);
		}
		if (i == p->n)
			break;
		advance_clock(agg, p->list[i].trail.time_ns);
		folding_take_kept(&agg->folding, &p->list[i].trail, &p->kept,
		    p->list[i].place);
	}
}

/* Take a piece of the input that was prepared, at a place where a group
 * begins. */
void
dispatch_prepared(struct agg *agg, const struct prepared *p)
{
	struct source *source = agg->sources.at;
	struct point point;
	int64_t i;

	trails_end(&source->trails, dispatch_group, agg);
	source->in.number += p->n_points;
	source->in.had_newline = true;
	agg->books.points += p->n_points;
	switch (p->purpose) {
	case PREPARE_LINES:
		agg->books.requests += p->requests;
		note_time(source, p->latest_ns);
		out_lines(&agg->out, p->text);
		break;
	case PREPARE_POINTS:
		for (i = 0; i < p->n_points; i++) {
			point = p->points[i];
			point.metric = our_metric(agg, point.metric);
			summary_add_point(agg->summary, &point);
		}
		break;
	case PREPARE_GROUPS:
		dispatch_groups(agg, p);
		break;
	}
}

/* Returns 1 if the line is not to pass as it is. */
static int
dispatch_aggregate(void *ctx, const struct sample *sample)
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
	note_time(agg->sources.at, a.time_ns);
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
	struct jsn j = jsn_of(text);

	if (agg->select == NULL)
		return true;
	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key))
		if (!span_is(key, "metric") || !jsn_text(&j, &name))
			(void)jsn_skip(&j);
	return select_metric(agg->select, name);
}

/* Count a line that is not taken. -1: --strict makes it fatal. */
int
dispatch_refused(struct agg *agg, struct span text, const char *why)
{
	const struct lines *in = &agg->sources.at->in;

	live_clear(&agg->live);
	if (agg->options->is_strict && (text.n == 0 || text.p[0] != '{'))
		warnf("%s:%" PRId64 ": %s", in->name, in->number, why);
	bad_lines_add(&agg->books.bad, in, text, why);
	return agg->options->is_strict ? -1 : 0;
}

/* Take one line. -1: it is bad and --strict was given. */
int
dispatch_line(struct agg *agg, struct span text)
{
	struct run_end end;
	struct line line;
	struct jsn j;
	struct why why;
	bool is_bad = false;
	int status;

	switch (stream_read(&agg->stream, text, &line, &why)) {
	case LINE_POINT:
		dispatch_point(agg, &line.point);
		return 0;
	case LINE_BLANK:
		return 0;
	case LINE_BAD:
		is_bad = true;
		break;
	case LINE_AGGREGATED:
		j = jsn_of(text);
		status = sample_parse(&j, &agg->stream.tags, dispatch_aggregate,
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
		return dispatch_refused(agg, text, why.text);
	if (agg->summary == NULL)
		out_line(&agg->out, text, agg->sources.at->in.had_newline);
	return 0;
}
