/* SPDX-License-Identifier: MIT */
/* The sink of lines that pass byte for byte: nothing is folded. */
#include "k6agg/agg_priv.h"

static void
pass_points(struct agg *agg, const struct point *points, int n,
    struct span text)
{
	int i;

	for (i = 0; i < n; i++)
		books_add_point(&agg->books, &points[i], false);
	if (agg->lacks_newline)
		out_line(&agg->out, points[0].line, false);
	else
		out_lines(&agg->out, text);
}

static enum sink_verdict
pass_aggregate(struct agg *agg, const struct sample *s)
{
	(void)agg;
	(void)s;
	return SINK_PASSES;
}

static bool
pass_line(struct agg *agg, enum line_type type, struct span text)
{
	(void)agg;
	(void)type;
	(void)text;
	return true;
}

static void
pass_end(struct agg *agg, const struct ending *ending)
{
	struct buf line = { 0 };

	books_print_rest(&agg->books, ending, &line);
	if (line.n > 0)
		out_lines(&agg->out, buf_whole(&line));
	buf_release(&line);
}

const struct sink_ops pass_sink = { pass_points, pass_aggregate, pass_line,
	pass_end, PREPARE_LINES, false };
