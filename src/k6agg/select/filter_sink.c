/* SPDX-License-Identifier: MIT */
/* The sink that stands before another one and hands it what is selected. */
#include "k6agg/select/filter_sink.h"

#include <string.h>

#include "data/sample.h"
#include "data/trail.h"

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

/* Hand points on with the tags they are to have. While requests are folded
 * they stay whole: which of their lines pass is decided when they do. */
static void
filter_points(struct line_sink *sink, const struct points *points)
{
	struct filter_sink *f = (struct filter_sink *)sink;
	const struct line_sink_ops *next = f->next->ops;
	const struct selected *selected;
	struct points one = { .n = 1 };
	struct point p;
	int i;

	for (i = 0; i < points->n; i++) {
		selected = select_point(f->select, &points->list[i]);
		p = points->list[i];
		p.tags = selected->tags;
		if (!(next->is_folding && is_of_request(&p)
		    ? selected->is_request_kept : selected->is_kept)) {
			books_add_point(f->books, &p, true);
			continue;
		}
		one.list = &p;
		one.text = (struct span){ p.line.p, p.line.n + 1 };
		if (next->purpose == PREPARE_LINES) {
			buf_reset(&f->lines);
			select_print(&p, selected, &f->lines);
			one.text = buf_whole(&f->lines);
		}
		next->points(f->next, &one);
	}
}

void
filter_folded(void *ctx, struct span lines, bool is_request)
{
	const char *at = lines.p, *end = lines.p + lines.n, *newline;
	const struct selected *selected;
	struct filter_sink *f = ctx;
	struct line line;
	struct why why;
	int64_t n;

	buf_reset(&f->lines);
	for (; at < end; at = newline + 1) {
		newline = memchr(at, '\n', (size_t)(end - at));
		if (stream_read(f->stream, (struct span){ at,
		    (size_t)(newline - at) }, &line, &why) != LINE_POINT)
			continue;	/* cannot be: it was one before */
		selected = select_point(f->select, &line.point);
		n = point_requests(line.point.metric->name,
		    line.point.value);
		if (selected->is_kept) {
			select_print(&line.point, selected, &f->lines);
			continue;
		}
		f->books->dropped += is_request && n > 1 ? 1 : n;
		f->books->points_dropped++;
	}
	out_lines(f->out, buf_whole(&f->lines));
	buf_reset(&f->lines);
}

static enum sink_verdict
filter_aggregate(struct line_sink *sink, const struct sample *sample)
{
	struct filter_sink *f = (struct filter_sink *)sink;
	const struct selected *selected = select_aggregate(f->select,
	    sample->aggregate->tags);
	struct aggregate a = *sample->aggregate;
	struct sample s = *sample;
	enum sink_verdict verdict;

	if (!selected->is_request_kept)
		return SINK_DROPPED;
	a.tags = s.tags = selected->tags;
	s.aggregate = &a;
	verdict = f->next->ops->aggregate(f->next, &s);
	if (verdict != SINK_PASSES || !selected->is_changed)
		return verdict;
	out_aggregate(f->out, &a);
	return SINK_TAKEN;
}

/* A Metric line passes if a point of its metric could. */
static bool
filter_line(struct line_sink *sink, enum line_type type, struct span text)
{
	struct filter_sink *f = (struct filter_sink *)sink;
	struct span key, name = { "", 0 };
	struct jsn j = jsn_of(text);

	if (!f->next->ops->passes(f->next, type, text))
		return false;
	if (type != LINE_METRIC)
		return true;
	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key))
		if (!span_is(key, "metric") || !jsn_text(&j, &name))
			(void)jsn_skip(&j);
	return select_metric(f->select, name);
}

static void
filter_end(struct line_sink *sink, const struct ending *ending)
{
	struct filter_sink *f = (struct filter_sink *)sink;

	f->next->ops->end(f->next, ending);
	if (ending->status == EXIT_DONE && f->books->points > 0)
		select_tell_unused(f->select);
}

struct filter_sink
filter_sink_of(struct select *select, struct line_sink *next,
    struct stream *stream, struct books *books, struct out *out)
{
	static const struct line_sink_ops ops = { .points = filter_points,
		.end = filter_end, .aggregate = filter_aggregate,
		.passes = filter_line, .purpose = PREPARE_LINES };

	return (struct filter_sink){ { &ops }, next, select, stream, books,
		out, { 0 } };
}

void
filter_sink_release(struct filter_sink *f)
{
	buf_release(&f->lines);
}
