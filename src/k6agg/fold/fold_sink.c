/* SPDX-License-Identifier: MIT */
/* The sink that folds requests, or merges aggregates, and writes one trailer
 * in place of those that it reads. */
#include "k6agg/agg_priv.h"

static void
fold_points(struct agg *agg, const struct point *points, int n,
    struct span text)
{
	(void)text;
	folding_points(&agg->folding, points, n);
}

static enum sink_verdict
fold_aggregate(struct agg *agg, const struct sample *s)
{
	if (!agg->folding.is_merging)
		return SINK_PASSES;
	folding_merge(&agg->folding, s->aggregate);
	return SINK_TAKEN;
}

static bool
fold_line(struct agg *agg, enum line_type type, struct span text)
{
	(void)agg;
	(void)text;
	return type != LINE_END;
}

static void
fold_end(struct agg *agg, const struct ending *ending)
{
	struct folding *f = &agg->folding;
	struct books *books = &agg->books;
	struct buf line = { 0 };

	folding_end(f);
	books->requests += f->requests;
	books->folded = f->buckets.folded;
	books->aggregates = f->is_merging ? f->merged.n
	    : f->buckets.aggregates;
	/* Merged, it does not matter when they came. */
	books->late = f->is_merging ? 0 : f->buckets.late;
	if (books_print_end(books, ending, &line) < 0)
		warnf("%s: the stream was cut: a Start line has no End line",
		    agg->sources.at->in.name);
	if (line.n > 0)
		out_lines(&agg->out, buf_whole(&line));
	buf_release(&line);
}

const struct sink_ops fold_sink = { fold_points, fold_aggregate, fold_line,
	fold_end, PREPARE_GROUPS, true };
