/* SPDX-License-Identifier: MIT */
/* The sink that adds up all samples, and writes a table at the end. */
#include "k6agg/summary/summary_sink.h"

#include <errno.h>
#include <stdio.h>

#include "base/die.h"

/* A threshold of the command line with abortOnFail ends the reading; that of
 * the stream has ended the generator, and what it wrote is to be summed up. */
static void
judge_time(struct summary_sink *s, int64_t time_ns)
{
	const struct verdict *v = judge_clock(s->judge, time_ns);

	if (v == NULL)
		return;
	s->crossed = v;
	warnf("threshold %.*s: %.*s was crossed: the rest is not read",
	    (int)v->threshold.key.text.n, v->threshold.key.text.p,
	    (int)v->threshold.source.n, v->threshold.source.p);
}

static void
judge_point(struct summary_sink *s, const struct point *p)
{
	judge_add_point(s->judge, p);
	judge_time(s, p->time_ns);
}

static void
summary_points(struct line_sink *s, const struct points *points)
{
	struct summary_sink *to = (struct summary_sink *)s;
	int i;

	for (i = 0; i < points->n && to->crossed == NULL; i++) {
		summary_add_point(to->summary, &points->list[i]);
		if (to->judge->n > 0)
			judge_point(to, &points->list[i]);
	}
}

static enum sink_verdict
summary_aggregate(struct line_sink *s, const struct sample *sample)
{
	struct summary_sink *to = (struct summary_sink *)s;

	if (to->crossed != NULL)
		return SINK_TAKEN;
	summary_add_sample(to->summary, sample);
	if (to->judge->n > 0) {
		judge_add_sample(to->judge, sample);
		judge_time(to, sample->aggregate->time_ns);
	}
	return SINK_TAKEN;
}

static bool
summary_line(struct line_sink *s, enum line_type type, struct span text)
{
	(void)s;
	(void)type;
	(void)text;
	return false;
}

/* What a gate must not take for a threshold that holds. */
static void
tell_unjudged(const struct judge *j)
{
	const struct verdict *v;
	const char *name;
	size_t i, at = 0;

	for (i = 0; i < j->n; i++) {
		v = j->list[i];
		if (v->is_misfit)
			warnf("threshold %.*s: %.*s: not judged: its metric "
			    "has no such method",
			    (int)v->threshold.key.text.n,
			    v->threshold.key.text.p,
			    (int)v->threshold.source.n, v->threshold.source.p);
		else if (v->is_asked && !judge_has_samples(v))
			warnf("threshold %.*s: %.*s: no samples, so it %s",
			    (int)v->threshold.key.text.n,
			    v->threshold.key.text.p,
			    (int)v->threshold.source.n, v->threshold.source.p,
			    v->is_failed ? "is crossed" : "holds");
	}
	while ((name = judge_next_untold(j, &at)) != NULL)
		warnf("thresholds of %s " JUDGE_UNTOLD_WHY, name);
}

static void
summary_end(struct line_sink *s, const struct ending *ending)
{
	struct summary_sink *to = (struct summary_sink *)s;
	struct summary_view v;

	if (!ending->has_read)
		return;
	if (ending->status == EXIT_DONE && to->crossed == NULL)
		books_warn_cut(to->books, ending->cut_input);
	summary_view(to->summary, &v);
	to->is_cut = ending->status == EXIT_DONE && to->crossed == NULL &&
	    !books_check_whole(to->books, (int64_t)sink_sum(&v.all.reqs),
	    ending->input);
	if (to->form == SUMMARY_NONE) {
		summary_view_release(&v);
		return;
	}
	to->n_crossed = judge_all(to->judge, v.seconds);
	tell_unjudged(to->judge);
	v.judge = to->judge;
	v.state = books_state(to->books);
	v.skipped = to->books->bad.n;
	errno = 0;
	if (to->form == SUMMARY_JSON)
		summary_print_json(&v, stdout);
	else if (to->form == SUMMARY_CSV)
		summary_print_csv(&v, stdout);
	else
		summary_print_text(&v, stdout);
	/* What went straight to the file is not in the buffer any more. */
	if (ferror(stdout))
		to->error = errno != 0 ? errno : EIO;
	summary_view_release(&v);
}

struct summary_sink
summary_sink_of(struct summary *summary, const struct books *books,
    struct judge *judge, enum summary_form form)
{
	static const struct line_sink_ops ops = { .points = summary_points,
		.end = summary_end, .aggregate = summary_aggregate,
		.passes = summary_line, .purpose = PREPARE_POINTS };

	return (struct summary_sink){ .sink = { &ops }, .summary = summary,
		.books = books, .judge = judge, .form = form };
}
