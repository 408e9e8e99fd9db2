/* SPDX-License-Identifier: MIT */
/* One run of the filter, from its inputs to its End line. */
#include "k6agg/agg.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/units.h"
#include "k6agg/read/dispatch.h"
#include "k6agg/read/read.h"

/* The latest time of the stream; that of now if it has none. */
static int64_t
latest(const struct agg *agg)
{
	const struct books *books = &agg->books;
	const struct folding *f = &agg->folding;

	if (f->has_latest && (!books->has_latest ||
	    f->latest_ns > books->latest_ns))
		return f->latest_ns;
	return books->has_latest ? books->latest_ns : now_unix_ns();
}

/* How the reading ended. A summary of nothing would look like one of a run in
 * which nothing was wrong. */
static int
read_status(struct agg *agg)
{
	if (read_all(agg) < 0 || sources_failed(&agg->sources) > 0)
		return EXIT_FAILED;
	if (*agg->stop != 0)
		return EXIT_INTERRUPTED;
	if (agg->last != &agg->summary_sink.sink ||
	    sources_have_any(&agg->sources))
		return EXIT_DONE;
	live_clear(&agg->live);
	warnf("the input is empty: there is nothing to sum up");
	return EXIT_FAILED;
}

/* Write what is still held, and the trailer. */
static void
drain(struct agg *agg, int status)
{
	/* What nobody could write was not read to its end: it was not cut. */
	struct ending ending = { .signal = *agg->stop,
	    .status = agg->out.error != 0 ? EXIT_FAILED : status,
	    .input = sources_name(&agg->sources),
	    .cut_input = sources_cut(&agg->sources,
	    books_lack_end(&agg->books)),
	    .has_read = sources_have_any(&agg->sources) };
	struct folding *f = &agg->folding;

	for (f->source = 0; f->source < f->n_inputs; f->source++)
		folding_input_end(f);
	ending.clock_ns = latest(agg);
	if (f->has_latest)
		ending.start_ns = f->earliest_ns;
	/* A table comes below the live line, lines are counted in it. */
	if (agg->last == &agg->summary_sink.sink)
		live_end(&agg->live, agg->books.folded_before);
	agg->sink->ops->end(agg->sink, &ending);
	out_flush(&agg->out);
	if (agg->summary_sink.error != 0)
		agg->out.error = agg->summary_sink.error;
}

static void
init(struct agg *agg, const struct options *o, char *const *files, int n)
{
	bool is_summary = options_ask_summary(o);
	bool is_merging = o->is_merge && !is_summary;

	folding_init(&agg->folding, &o->settings, &agg->out, o->max_series,
	    is_merging && n > 1 ? (size_t)n : 1);
	agg->folding.is_merging = is_merging;
	agg->pass_sink = pass_sink_of(&agg->books, &agg->out);
	agg->fold_sink = fold_sink_of(&agg->folding, &agg->books, &agg->out);
	agg->summary_sink = summary_sink_of(&agg->summary, &agg->books,
	    agg->judge, o->is_diff ? SUMMARY_NONE : o->is_json
	    ? SUMMARY_JSON : o->is_csv ? SUMMARY_CSV : SUMMARY_TEXT);
	agg->last = is_summary ? &agg->summary_sink.sink
	    : folding_is_on(&agg->folding) || is_merging
	    ? &agg->fold_sink.sink : &agg->pass_sink.sink;
	agg->sink = agg->last;
	agg->summary.max_rows = (size_t)o->max_series;
	agg->summary.keeps_courses = o->is_diff;
	if (o->is_live)
		live_init(&agg->live);
	/* Lines on the same terminal would bury the one that is drawn. */
	agg->out.is_discarding = agg->live.is_on &&
	    isatty(STDOUT_FILENO) == 1;
	if (o->select != NULL) {
		agg->filter_sink = filter_sink_of(o->select, agg->last,
		    &agg->stream, &agg->books, &agg->out);
		agg->sink = &agg->filter_sink.sink;
		agg->folding.filter = filter_folded;
		agg->folding.filter_ctx = &agg->filter_sink;
	}
	sources_init(&agg->sources, files, n, &agg->folding);
}

static void
release(struct agg *agg)
{
	sources_release(&agg->sources);
	folding_release(&agg->folding);
	summary_release(&agg->summary);
	ahead_free(agg->ahead);
	stream_release(&agg->stream);
	books_release(&agg->books);
	out_release(&agg->out);
	live_release(&agg->live);
	buf_release(&agg->last_line);
	filter_sink_release(&agg->filter_sink);
}

/* A crossed threshold, of what was read well. */
static int
judged_status(const struct agg *agg, int status)
{
	const struct judge *j = agg->judge;
	bool is_asked = false;
	size_t i;

	if (status != EXIT_DONE || agg->last != &agg->summary_sink.sink)
		return status;
	if (agg->summary_sink.n_crossed > 0)
		return EXIT_THRESHOLD;
	for (i = 0; i < j->n; i++) {
		if (j->list[i]->is_misfit && j->list[i]->is_asked)
			return EXIT_USAGE;
		is_asked |= j->list[i]->is_asked;
	}
	/* What is not there may have crossed it. Of two streams that are
	 * compared only the second is judged. */
	return is_asked && agg->summary_sink.is_cut &&
	    !agg->options->is_diff ? EXIT_FAILED : EXIT_DONE;
}

static void
tell_untyped(const struct stream *stream)
{
	struct buf what = { 0 };

	if (stream_tell_untyped(stream, &what))
		warnf("%s", what.p);
	buf_release(&what);
}

struct agg *
agg_new(struct options *o, char *const *files, int n,
    const volatile sig_atomic_t *stop)
{
	struct agg *agg = xcalloc(1, sizeof(*agg));	/* most stays 0 */

	agg->options = o;
	agg->stop = stop;
	agg->judge = &o->judge;
	init(agg, o, files, n);
	return agg;
}

int
agg_read(struct agg *agg)
{
	int status = read_status(agg);

	drain(agg, status);
	status = judged_status(agg, status);
	live_end(&agg->live, (int64_t)agg->books.folded +
	    agg->books.folded_before);
	tell_untyped(&agg->stream);
	books_report(&agg->books, agg->last->ops->is_folding &&
	    !agg->options->is_quiet);
	ahead_stop(agg->ahead);
	return status;
}

void
agg_free(struct agg *agg)
{
	if (agg == NULL)
		return;
	release(agg);
	free(agg);
}

int
agg_run(struct options *o, char *const *files, int n,
    const volatile sig_atomic_t *stop)
{
	struct agg *agg = agg_new(o, files, n, stop);
	int status = agg_read(agg), error = agg->out.error;

	agg_free(agg);
	return close_stdout_after(error, status);
}
