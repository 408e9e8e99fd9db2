/* SPDX-License-Identifier: MIT */
/* The sink before another: what is selected goes on to it. */
#include "data/trail.h"
#include "k6agg/agg_priv.h"

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

/* Hand n points on with the tags they are to have. While requests are folded
 * they stay whole: which of their lines pass is decided when they do. */
static void
filter_points(struct agg *agg, const struct point *points, int n,
    struct span text)
{
	bool is_folding = agg->last->is_folding;
	const struct selected *selected;
	struct point p;
	int i;

	agg->lacks_newline = false;
	for (i = 0; i < n; i++) {
		selected = select_point(agg->select, &points[i]);
		p = points[i];
		p.tags = selected->tags;
		if (!(is_folding && is_of_request(&p)
		    ? selected->is_request_kept : selected->is_kept)) {
			books_add_point(&agg->books, &p, true);
			continue;
		}
		text = (struct span){ p.line.p, p.line.n + 1 };
		if (agg->last->purpose == PREPARE_LINES) {
			buf_reset(&agg->selected);
			select_print(&p, selected, &agg->selected);
			text = buf_whole(&agg->selected);
		}
		agg->last->points(agg, &p, 1, text);
	}
}

/* Write what is selected of lines that passed the folding; for folding. */
void
filter_folded(void *ctx, struct span lines, bool is_request)
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

static enum sink_verdict
filter_aggregate(struct agg *agg, const struct sample *sample)
{
	const struct selected *selected = select_tags(agg->select,
	    sample->aggregate->tags);
	struct aggregate a = *sample->aggregate;
	struct sample s = *sample;
	enum sink_verdict verdict;

	if (!selected->is_request_kept)
		return SINK_DROPPED;
	a.tags = s.tags = selected->tags;
	s.aggregate = &a;
	verdict = agg->last->aggregate(agg, &s);
	if (verdict != SINK_PASSES || !selected->is_changed)
		return verdict;
	out_aggregate(&agg->out, &a);
	return SINK_TAKEN;
}

/* A Metric line passes if a point of its metric could. */
static bool
filter_line(struct agg *agg, enum line_type type, struct span text)
{
	struct span key, name = { "", 0 };
	struct jsn j = jsn_of(text);

	if (!agg->last->passes(agg, type, text))
		return false;
	if (type != LINE_METRIC)
		return true;
	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key))
		if (!span_is(key, "metric") || !jsn_text(&j, &name))
			(void)jsn_skip(&j);
	return select_metric(agg->select, name);
}

static void
filter_end(struct agg *agg, const struct ending *ending)
{
	agg->last->end(agg, ending);
}

const struct sink_ops filter_sink = { filter_points, filter_aggregate,
	filter_line, filter_end, PREPARE_LINES, false };
