/* SPDX-License-Identifier: MIT */
/* The sink that adds all up, and writes a table at the end. */
#include <errno.h>
#include <stdio.h>

#include "k6agg/agg_priv.h"

static void
summary_points(struct agg *agg, const struct point *points, int n,
    struct span text)
{
	int i;

	(void)text;
	for (i = 0; i < n; i++)
		summary_add_point(&agg->summary, &points[i]);
}

static enum sink_verdict
summary_aggregate(struct agg *agg, const struct sample *s)
{
	summary_add_sample(&agg->summary, s);
	return SINK_TAKEN;
}

static bool
summary_line(struct agg *agg, enum line_type type, struct span text)
{
	(void)agg;
	(void)type;
	(void)text;
	return false;
}

static void
summary_end(struct agg *agg, const struct ending *ending)
{
	struct summary_view v;

	(void)ending;
	live_end(&agg->live, agg->books.folded_before);
	summary_view(&agg->summary, &v);
	v.skipped = agg->books.bad.n;
	errno = 0;
	if (agg->options->is_json)
		summary_print_json(&v, stdout);
	else
		summary_print_text(&v, stdout);
	/* What went straight to the file is not in the buffer any more. */
	if (ferror(stdout))
		agg->out.error = errno != 0 ? errno : EIO;
	summary_view_release(&v);
}

const struct sink_ops summary_sink = { summary_points, summary_aggregate,
	summary_line, summary_end, PREPARE_POINTS, false };
