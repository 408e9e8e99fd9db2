/* SPDX-License-Identifier: MIT */
/* One run of the filter, from its inputs to its End line. */
#include "k6agg/agg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/units.h"
#include "k6agg/read/dispatch.h"
#include "k6agg/read/read.h"

/* The latest time of all sources; that of now if there is none. */
static int64_t
latest(const struct agg *agg)
{
	const struct source *source = agg->sources.list;
	const struct source *end = source + agg->sources.n, *last = NULL;

	for (; source < end; source++)
		if (source->has_time && (last == NULL ||
		    source->latest_ns > last->latest_ns))
			last = source;
	return last != NULL ? last->latest_ns : now_unix_ns();
}

/* Write what is still held, and the trailer. */
static void
drain(struct agg *agg, int status)
{
	struct ending ending = { status, *agg->stop, 0 };
	const struct buckets *buckets = &agg->folding.buckets;
	struct books *books = &agg->books;
	struct buf line = { 0 };
	size_t i;

	for (i = 0; i < agg->sources.n; i++)
		read_end(agg, &agg->sources.list[i]);
	ending.clock_ns = latest(agg);
	folding_end(&agg->folding);
	books->requests += agg->folding.requests;
	books->folded = buckets->folded;
	books->aggregates = agg->folding.is_merging ? agg->folding.merged.n
	    : buckets->aggregates;
	/* Merged, it does not matter when they came. */
	books->late = agg->folding.is_merging ? 0 : buckets->late;
	if (!has_books(agg)) {
		books_print_rest(books, &ending, &line);
	} else if (books_print_end(books, &ending, &line) < 0) {
		warnf("%s: the stream was cut: it has a Start and no End",
		    agg->sources.at->in.name);
	}
	if (line.n > 0)
		out_lines(&agg->out, buf_whole(&line));
	buf_release(&line);
	out_flush(&agg->out);
}

static void
print_summary(struct agg *agg)
{
	struct summary_view v;

	summary_view(agg->summary, &v);
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
	summary_release(agg->summary);
	free(agg->summary);
}

static void
init(struct agg *agg, const struct options *o, char *const *files, int n)
{
	bool is_summary = o->is_summary || o->is_json;

	if (is_summary) {
		agg->summary = xcalloc(1, sizeof(*agg->summary));
		agg->summary->max_rows = (size_t)o->max_series;
	}
	if (o->is_live)
		live_init(&agg->live);
	folding_init(&agg->folding, &o->settings, &agg->out, o->max_series);
	agg->folding.is_merging = o->is_merge && !is_summary;
	if (agg->select != NULL)
		agg->folding.filter = dispatch_filtered;
	agg->folding.filter_ctx = agg;
	sources_init(&agg->sources, files, n, agg->folding.is_merging);
}

static void
release(struct agg *agg)
{
	sources_release(&agg->sources);
	folding_release(&agg->folding);
	ahead_free(agg->ahead);
	stream_release(&agg->stream);
	books_release(&agg->books);
	out_release(&agg->out);
	live_release(&agg->live);
	buf_release(&agg->last_line);
	buf_release(&agg->selected);
}

int
agg_run(const struct options *o, char *const *files, int n,
    const volatile sig_atomic_t *stop)
{
	struct agg agg = { .options = o, .stop = stop, .select = o->select };
	int status, error;

	init(&agg, o, files, n);
	status = read_all(&agg) < 0 || sources_failed(&agg.sources) > 0
	    ? EXIT_FAILED
	    : *stop != 0 ? EXIT_INTERRUPTED : EXIT_DONE;
	if (agg.summary == NULL)
		drain(&agg, status);
	live_end(&agg.live, (int64_t)agg.books.folded +
	    agg.books.folded_before);
	if (agg.summary != NULL)
		print_summary(&agg);
	books_report(&agg.books, has_books(&agg) && agg.summary == NULL &&
	    !o->is_quiet);
	ahead_stop(agg.ahead);
	error = agg.out.error;
	release(&agg);
	return close_stdout_after(error, status);
}
