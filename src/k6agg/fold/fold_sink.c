/* SPDX-License-Identifier: MIT */
/* The sink that folds requests, or merges aggregates, and writes one trailer
 * in place of those that it reads. */
#include "k6agg/fold/fold_sink.h"

static void
fold_points(struct line_sink *s, const struct points *points)
{
	struct fold_sink *fold = (struct fold_sink *)s;

	folding_points(fold->folding, points->list, points->n);
}

static enum sink_verdict
fold_aggregate(struct line_sink *s, const struct sample *sample)
{
	struct fold_sink *fold = (struct fold_sink *)s;

	if (!fold->folding->is_merging)
		return SINK_PASSES;
	folding_merge(fold->folding, sample->aggregate);
	return SINK_TAKEN;
}

static bool
fold_line(struct line_sink *s, enum line_type type, struct span text)
{
	(void)s;
	(void)text;
	return type != LINE_END;
}

static void
fold_end(struct line_sink *s, const struct ending *ending)
{
	struct fold_sink *fold = (struct fold_sink *)s;
	struct folding *f = fold->folding;
	struct books *books = fold->books;
	struct buf line = { 0 };

	folding_end(f);
	books->requests += f->requests;
	books->folded = f->buckets.folded;
	books->aggregates = f->is_merging ? f->merged.n
	    : f->buckets.aggregates;
	/* Merged, it does not matter when they came. */
	books->late = f->is_merging ? 0 : f->buckets.late;
	(void)books_print_end(books, ending, &line);
	if (ending->status == EXIT_DONE)
		books_warn_cut(books, ending->cut_input);
	if (line.n > 0)
		out_lines(fold->out, buf_whole(&line));
	buf_release(&line);
}

struct fold_sink
fold_sink_of(struct folding *folding, struct books *books, struct out *out)
{
	static const struct line_sink_ops ops = { .points = fold_points,
		.end = fold_end, .aggregate = fold_aggregate,
		.passes = fold_line, .purpose = PREPARE_GROUPS,
		.is_folding = true };

	return (struct fold_sink){ { &ops }, folding, books, out };
}
