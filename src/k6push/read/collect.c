/* SPDX-License-Identifier: MIT */
/* Lines of the stream in, samples of the wire out. */
#include "k6push/read/collect.h"

#include "base/die.h"
#include "data/foreign.h"

void
collector_release(struct collector *c)
{
	stream_release(&c->stream);
	trails_release(&c->trails);
	buf_release(&c->start_text);
	buf_release(&c->start_json);
	buf_release(&c->held);
	run_ends_release(&c->ends);
}

static void
note_time(struct collector *c, int64_t time_ns)
{
	if (c->first_ns == 0 || time_ns < c->first_ns)
		c->first_ns = time_ns;
	if (time_ns > c->last_ns)
		c->last_ns = time_ns;
}

static int64_t
time_of(const struct sample *s)
{
	switch (s->kind) {
	case SAMPLE_TRAIL:
		return s->trail->time_ns;
	case SAMPLE_NET:
		return s->net->time_ns;
	case SAMPLE_AGGREGATE:
		return s->aggregate->time_ns;
	case SAMPLE_POINT:
		break;
	}
	return s->time_ns;
}

static int
count_and_hand_on(void *ctx, const struct sample *s)
{
	struct collector *c = ctx;
	struct sample labelled;

	c->points += sample_points(s);
	c->requests += sample_requests(s);
	note_time(c, time_of(s));
	if (c->judge != NULL && s->kind == SAMPLE_AGGREGATE)
		judge_add_sample(c->judge, s);
	if (c->label.instance != NULL) {
		labelled = instance_label_sample(&c->label, s);
		s = &labelled;
	}
	if (c->series == NULL)
		return c->each(c->ctx, s);
	c->series->sample(c->series->ctx, s, c->line);
	return 0;
}

static void
take_group(void *ctx, const struct group_out *g)
{
	struct sample s = { .trail = &g->trail, .net = &g->net };
	int i;

	if (g->kind == GROUP_TRAIL || g->kind == GROUP_NET) {
		s.kind = g->kind == GROUP_TRAIL ? SAMPLE_TRAIL : SAMPLE_NET;
		(void)count_and_hand_on(ctx, &s);
		return;
	}
	for (i = 0; i < g->n; i++) {
		s = (struct sample){ .kind = SAMPLE_POINT,
		    .metric = g->points[i].metric->name,
		    .type = g->points[i].metric->type,
		    .tags = g->points[i].tags,
		    .time_ns = g->points[i].time_ns,
		    .value = g->points[i].value };
		(void)count_and_hand_on(ctx, &s);
	}
}

static void
take_point(struct collector *c, const struct point *p)
{
	struct point labelled;

	if (c->judge != NULL)
		judge_add_point(c->judge, p);
	if (c->series != NULL) {
		note_time(c, p->time_ns);
		labelled = *p;
		if (c->label.instance != NULL)
			labelled.tags = instance_label_tags(&c->label, p->tags);
		c->series->point(c->series->ctx, &labelled);
		c->points++;
		if (span_is(p->metric->name, "http_reqs") && p->value > 0 &&
		    p->value < 0x1p53)
			c->requests += (uint64_t)p->value;
		return;
	}
	trails_add(&c->trails, p, take_group, c);
}

/* What is no threshold stays in the stream: k6 has judged it. */
static void
take_thresholds(struct collector *c, struct span json)
{
	struct why why;

	if (c->judge != NULL && json.n > 0 &&
	    judge_add_json(c->judge, json, &why) < 0)
		warnf("a threshold of the stream: %s", why.text);
}

/* k6 without -q writes its progress between the lines and into them. */
static void
tell_progress(struct collector *c, struct span text)
{
	static const char *const marks[] = { "running (", "% ] ", " VUs, ",
	    "execution: local" };
	size_t i;

	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (!c->has_progress && memmem(text.p, text.n, marks[i],
		    strlen(marks[i])) != NULL) {
			warnf("k6's progress is printed between the lines "
			    "and breaks them: use k6 run -q");
			c->has_progress = true;
		}
}

/* The header, of a copy that stays. Of joined streams the first counts. */
static int
take_start(struct collector *c, struct span data, struct why *why)
{
	struct span copy;

	if (c->starts > 0) {
		c->starts++;
		run_cuts_start(&c->cuts, c->input);
		return 0;
	}
	buf_reset(&c->start_json);
	buf_span(&c->start_json, data);
	copy = buf_whole(&c->start_json);
	if (run_start_parse(&c->start, copy, &c->start_text, why) < 0)
		return -1;
	c->starts = 1;
	run_cuts_start(&c->cuts, c->input);
	take_thresholds(c, c->start.thresholds);
	return 0;
}

static int
take_end(struct collector *c, struct span data, struct why *why)
{
	struct run_end end;

	if (run_end_parse(&end, data, why) < 0)
		return -1;
	run_ends_add(&c->ends, &end);
	run_cuts_end(&c->cuts, end.streams, c->input);
	if (c->judge != NULL)
		judge_take_results(c->judge, end.thresholds);
	return 0;
}

int
collector_line(struct collector *c, struct span text, struct why *why)
{
	struct line line;
	struct jsn j;
	int status = 0;

	switch (stream_read(&c->stream, text, &line, why)) {
	case LINE_POINT:
		if (c->is_holding) {
			note_time(c, line.point.time_ns);
			buf_span(&c->held, text);
		} else {
			take_point(c, &line.point);
		}
		return 0;
	case LINE_AGGREGATED:
		c->line = text;
		j = jsn_of(text);
		status = sample_parse(&j, &c->stream.tags, count_and_hand_on,
		    c, why);
		break;
	case LINE_START:
		status = take_start(c, line.data, why);
		break;
	case LINE_END:
		status = take_end(c, line.data, why);
		break;
	case LINE_BAD:
		status = -1;
		break;
	case LINE_METRIC:
		if (line.is_late)	/* as its points have been sent */
			metrics_get(&c->stream.metrics,
			    line.metric->name)->type = METRIC_TREND;
		if (c->series != NULL)
			c->series->metric(c->series->ctx, text);
		if (c->judge != NULL &&
		    judge_add_metric(c->judge, line.data, why) < 0)
			warnf("a threshold of the stream: %s", why->text);
		break;
	case LINE_OTHER:
	case LINE_BLANK:
		break;
	}
	return status;
}

bool
collector_has_head(const struct collector *c)
{
	return c->points > 0 || c->starts > 0 || c->trails.n > 0 ||
	    c->held.n > 0;
}

/* Count a line that is none of the stream. What the whole input looks like
 * says more than its first lines. */
static void
refuse(const struct collector *c, const struct lines *in,
    struct bad_lines *bad, struct span text, const char *why)
{
	if (bad->n == 0)
		bad->hint = foreign_hint(foreign_head(text, lines_peek(in)));
	if (bad->hint != NULL && !collector_has_head(c))
		text.n = 0;
	bad_lines_add(bad, in, text, why);
}

/* Take lines, all or up to the one with which the start is known, of which a
 * point is held. */
static void
take_lines(struct collector *c, struct lines *in, struct bad_lines *bad,
    bool is_all)
{
	enum lines_result got;
	struct span text;
	struct why why;

	c->is_holding = !is_all;
	c->input = in->name;
	if (is_all && c->held.n > 0) {
		(void)collector_line(c, buf_whole(&c->held), &why);
		buf_reset(&c->held);
	}
	while ((is_all || !collector_has_head(c)) &&
	    (got = lines_take(in, &text)) != LINES_MORE) {
		if (got == LINES_LONG && bad->n == 0)
			bad->hint = foreign_hint((struct span){ in->long_head,
			    LINES_HEAD });
		if (got == LINES_LONG) {
			bad_lines_add(bad, in, SPAN("{"), LINES_LONG_WHY);
		} else if (collector_line(c, text, &why) < 0) {
			tell_progress(c, text);
			refuse(c, in, bad, text, why.text);
		}
	}
}

void
collector_take(struct collector *c, struct lines *in, struct bad_lines *bad)
{
	take_lines(c, in, bad, true);
}

void
collector_take_head(struct collector *c, struct lines *in,
    struct bad_lines *bad)
{
	take_lines(c, in, bad, false);
}

void
collector_trim(struct collector *c)
{
	if (c->trails.n > 0)
		return;
	if (c->series != NULL && c->stream.tags.n > STREAM_TAG_SETS)
		c->series->forget_tags(c->series->ctx);
	stream_trim(&c->stream, STREAM_TAG_SETS);
	instance_label_forget(&c->label);
}

void
collector_end(struct collector *c)
{
	trails_end(&c->trails, take_group, c);
}

void
collector_tell(const struct collector *c)
{
	const char *input = c->starts > c->ends.end.streams
	    ? c->cuts.start_input : c->cuts.end_input;
	struct buf what = { 0 };

	if (run_tell_cut(c->starts, &c->ends, &what))
		warnf("%s: %s", input, what.p);
	buf_reset(&what);
	if (stream_tell_untyped(&c->stream, &what))
		warnf("%s", what.p);
	buf_release(&what);
}
