/* SPDX-License-Identifier: MIT */
/* The sink of lines that pass byte for byte: nothing is folded. */
#include "k6agg/write/pass_sink.h"

static void
pass_points(struct line_sink *s, const struct points *points)
{
	struct pass_sink *pass = (struct pass_sink *)s;
	int i;

	for (i = 0; i < points->n; i++)
		books_add_point(pass->books, &points->list[i], false);
	if (points->lacks_newline)
		out_line(pass->out, points->list[0].line, false);
	else
		out_lines(pass->out, points->text);
}

static enum sink_verdict
pass_aggregate(struct line_sink *s, const struct sample *sample)
{
	(void)s;
	(void)sample;
	return SINK_PASSES;
}

static bool
pass_line(struct line_sink *s, enum line_type type, struct span text)
{
	(void)s;
	(void)type;
	(void)text;
	return true;
}

static void
pass_end(struct line_sink *s, const struct ending *ending)
{
	struct pass_sink *pass = (struct pass_sink *)s;
	struct buf line = { 0 };

	books_print_rest(pass->books, ending, &line);
	if (line.n > 0)
		out_lines(pass->out, buf_whole(&line));
	buf_release(&line);
	if (ending->status == EXIT_DONE)
		books_warn_cut(pass->books, ending->cut_input);
}

struct pass_sink
pass_sink_of(struct books *books, struct out *out)
{
	static const struct line_sink_ops ops = { .points = pass_points,
		.end = pass_end, .aggregate = pass_aggregate,
		.passes = pass_line, .purpose = PREPARE_LINES };

	return (struct pass_sink){ { &ops }, books, out };
}
