/* SPDX-License-Identifier: MIT */
/* The sink that adds all up, and writes a table at the end. */
#include "k6agg/summary/summary_sink.h"

#include <errno.h>
#include <stdio.h>

static void
summary_points(struct line_sink *s, const struct points *points)
{
	struct summary_sink *to = (struct summary_sink *)s;
	int i;

	for (i = 0; i < points->n; i++)
		summary_add_point(to->summary, &points->list[i]);
}

static enum sink_verdict
summary_aggregate(struct line_sink *s, const struct sample *sample)
{
	struct summary_sink *to = (struct summary_sink *)s;

	summary_add_sample(to->summary, sample);
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

static void
summary_end(struct line_sink *s, const struct ending *ending)
{
	struct summary_sink *to = (struct summary_sink *)s;
	struct summary_view v;

	if (!ending->has_read)
		return;
	summary_view(to->summary, &v);
	v.skipped = to->books->bad.n;
	errno = 0;
	if (to->is_json)
		summary_print_json(&v, stdout);
	else
		summary_print_text(&v, stdout);
	/* What went straight to the file is not in the buffer any more. */
	if (ferror(stdout))
		to->error = errno != 0 ? errno : EIO;
	summary_view_release(&v);
}

struct summary_sink
summary_sink_of(struct summary *summary, const struct books *books,
    bool is_json)
{
	static const struct line_sink_ops ops = { .points = summary_points,
		.end = summary_end, .aggregate = summary_aggregate,
		.passes = summary_line, .purpose = PREPARE_POINTS };

	return (struct summary_sink){ { &ops }, summary, books, is_json, 0 };
}
