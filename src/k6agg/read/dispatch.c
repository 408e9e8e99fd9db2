/* SPDX-License-Identifier: MIT */
/* Hands each line of the input to the stage that handles it. */
#include "k6agg/read/dispatch.h"

#include <inttypes.h>

#include "data/foreign.h"

static void
dispatch_points(struct agg *agg, const struct points *points)
{
	int i;

	agg->books.points += points->n;
	for (i = 0; agg->live.is_on && i < points->n; i++)
		live_add_point(&agg->live, &points->list[i]);
	agg->sink->ops->points(agg->sink, points);
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
	dispatch_points(agg, &(struct points){ &whole, 1, { whole.line.p,
	    whole.line.n + 1 }, !had_newline });
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
	agg->sources.at->good += n;
	dispatch_points(agg, &(struct points){ agg->batch, n,
	    { text.p, bytes }, false });
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
dispatch_groups(struct folding *f, const struct prepared *p)
{
	const struct passage *passage = p->passages;
	const struct passage *end = passage + p->n_passages;
	size_t i;

	for (i = 0; i <= p->n; i++) {
		for (; passage < end && passage->before == i; passage++) {
			folding_advance(f, passage->first_ns);
			folding_pass(f, (struct span){
			    p->passed.p + passage->from, passage->n },
			    passage->requests);
			folding_advance(f, passage->latest_ns);
			folding_note_time(f, passage->earliest_ns);
		}
		if (i == p->n)
			break;
		folding_take_kept(f, &p->list[i].trail, &p->kept,
		    p->list[i].place);
	}
}

/* Take a piece of the input that was prepared, at a place where a group
 * begins. */
void
dispatch_prepared(struct agg *agg, const struct prepared *p)
{
	struct source *source = agg->sources.at;
	int64_t i;

	folding_part(&agg->folding);
	source->in.number += p->n_points;
	source->good += p->n_points;
	source->in.had_newline = true;
	agg->books.points += p->n_points;
	switch (p->purpose) {
	case PREPARE_LINES:
		agg->books.requests += p->requests;
		books_note_time(&agg->books, p->latest_ns);
		out_lines(&agg->out, p->text);
		break;
	case PREPARE_POINTS:
		for (i = 0; i < p->n_points; i++)
			p->points[i].metric = our_metric(agg,
			    p->points[i].metric);
		agg->sink->ops->points(agg->sink, &(struct points){
		    p->points, (int)p->n_points, p->text, false });
		break;
	case PREPARE_GROUPS:
		dispatch_groups(&agg->folding, p);
		break;
	}
}

/* Returns 1 if the line is not to pass as it is. */
static int
dispatch_aggregate(void *ctx, const struct sample *s)
{
	struct agg *agg = ctx;
	enum sink_verdict verdict;

	live_add_sample(&agg->live, s);
	verdict = agg->sink->ops->aggregate(agg->sink, s);
	books_add_aggregate(&agg->books, s, verdict == SINK_DROPPED);
	return verdict != SINK_PASSES;
}

static const char long_line[] = LINES_LONG_WHY;

int
dispatch_long(struct agg *agg)
{
	return dispatch_refused(agg, SPAN("{"), long_line);
}

/* Count a line that is not taken. -1: --strict makes it fatal. */
int
dispatch_refused(struct agg *agg, struct span text, const char *why)
{
	struct source *source = agg->sources.at;
	const struct lines *in = &source->in;

	if (source->bad++ == 0 && source->good == 0)
		source->hint = foreign_hint(why == long_line
		    ? (struct span){ in->long_head, LINES_HEAD }
		    : foreign_head(text, lines_peek(in)));
	/* What the whole file looks like says more than its lines. */
	if (source->hint != NULL && source->good == 0 &&
	    !agg->options->is_strict)
		text.n = 0;
	live_clear(&agg->live);
	if (agg->options->is_strict && (text.n == 0 || text.p[0] != '{'))
		warnf("%s:%" PRId64 ": %s", in->name, in->number, why);
	bad_lines_add(&agg->books.bad, in, text, why);
	return agg->options->is_strict ? -1 : 0;
}

static bool
is_judging(const struct agg *agg)
{
	return agg->last == &agg->summary_sink.sink &&
	    !agg->options->has_no_thresholds;
}

/* What the generator was told to hold is in its Metric lines, or in its Start
 * line; a threshold that it wrote wrongly is not ours to refuse. */
static void
dispatch_metric(struct agg *agg, const struct line *line)
{
	struct why why;

	if (line->is_late)
		summary_set_type(&agg->summary, line->metric);
	if (is_judging(agg) &&
	    judge_add_metric(agg->judge, line->data, &why) < 0) {
		live_clear(&agg->live);
		warnf("a threshold of the stream: %s", why.text);
	}
}

static void
dispatch_start(struct agg *agg, const struct line *line)
{
	struct source *source = agg->sources.at;
	struct buf text = { 0 };
	struct run_start start;
	struct why why;

	agg->books.starts++;
	run_cuts_start(&source->cuts, source->in.name);
	if (run_start_parse(&start, line->data, &text, &why) < 0) {
		buf_release(&text);
		return;
	}
	summary_note_run(&agg->summary, start.time_ns, 0);
	if (is_judging(agg) && start.thresholds.n > 0 &&
	    judge_add_json(agg->judge, start.thresholds, &why) < 0) {
		live_clear(&agg->live);
		warnf("a threshold of the stream: %s", why.text);
	}
	buf_release(&text);
}

/* -1, why: it is no End line. */
static int
dispatch_end(struct agg *agg, const struct line *line, struct why *why)
{
	struct source *source = agg->sources.at;
	struct run_end end;

	if (run_end_parse(&end, line->data, why) < 0)
		return -1;
	run_ends_add(&agg->books.ends, &end);
	run_cuts_end(&source->cuts, end.streams, source->in.name);
	summary_note_run(&agg->summary, end.start_ns, end.time_ns);
	if (agg->books.ends.n == 1 && agg->books.starts == 1 &&
	    agg->options->select == NULL)
		judge_take_results(agg->judge, end.thresholds);
	return 0;
}

/* Take one line. -1: it is bad and --strict was given. */
int
dispatch_line(struct agg *agg, struct span text)
{
	enum line_type type;
	struct line line;
	struct jsn j;
	struct why why;
	bool is_bad = false;
	int status;

	type = stream_read(&agg->stream, text, &line, &why);
	switch (type) {
	case LINE_POINT:
		agg->sources.at->good++;
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
		agg->sources.at->good += status >= 0;
		if (status > 0)
			return 0;
		is_bad = status < 0;
		break;
	case LINE_END:
		is_bad = dispatch_end(agg, &line, &why) < 0;
		break;
	case LINE_START:
		dispatch_start(agg, &line);
		break;
	case LINE_METRIC:
		dispatch_metric(agg, &line);
		break;
	case LINE_OTHER:
		break;
	}
	if (is_bad)
		return dispatch_refused(agg, text, why.text);
	if (type == LINE_OTHER)
		agg->sources.at->bad++;
	else
		agg->sources.at->good += type != LINE_AGGREGATED;
	if (type == LINE_AGGREGATED || agg->sink->ops->passes(agg->sink, type,
	    text))
		out_line(&agg->out, text, agg->sources.at->in.had_newline);
	return 0;
}
