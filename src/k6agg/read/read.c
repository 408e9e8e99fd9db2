/* SPDX-License-Identifier: MIT */
/* The inputs read to their end or to a signal, live or from a file. */
#include "k6agg/read/read.h"

#include <poll.h>
#include <stdio.h>

#include "base/units.h"
#include "k6agg/read/dispatch.h"

enum { LONGEST_WAIT_MS = 200 };

/* Before the memory of the lines goes. Many tag sets may be forgotten while
 * no point is held. */
static void
settle(struct agg *agg)
{
	if (!folding_settle(&agg->folding) ||
	    agg->stream.tags.n <= STREAM_TAG_SETS)
		return;
	if (agg->filter_sink.select != NULL)
		select_trim(agg->filter_sink.select, STREAM_TAG_SETS);
	stream_trim(&agg->stream, STREAM_TAG_SETS);
	summary_forget_tags(&agg->summary);
}

static void
draw_live(struct agg *agg)
{
	live_draw(&agg->live, (int64_t)agg->folding.buckets.folded +
	    agg->books.folded_before);
}

/* Wait for input, or until there is to be no more. While a live stream is
 * silent, its clock goes on with ours, and what was written is seen by the
 * next tool. */
static void
wait_for_input(struct agg *agg)
{
	const struct lines *in = &agg->sources.at->in;
	struct pollfd p = { .fd = lines_fd(in), .events = POLLIN };
	int64_t silent_since = now_monotonic_ns(), now;
	int64_t calc_ns = agg->folding.calc_ns;
	int64_t next_ns = silent_since + calc_ns;
	int timeout = calc_ns < LONGEST_WAIT_MS * NS_PER_MS
	    ? (int)(calc_ns / NS_PER_MS) + 1 : LONGEST_WAIT_MS;

	if (p.fd < 0 || poll(&p, 1, 0) > 0)
		return;
	out_flush(&agg->out);
	while (!lines_must_stop(in, *agg->stop) &&
	    poll(&p, 1, timeout) <= 0) {
		draw_live(agg);
		now = now_monotonic_ns();
		if (!folding_is_on(&agg->folding) ||
		    agg->folding.is_merging || now < next_ns)
			continue;
		folding_idle(&agg->folding, now - silent_since);
		out_flush(&agg->out);
		next_ns = now + calc_ns;
	}
}

/* The reader of our output has gone, or a threshold ends it all: nobody wants
 * the rest. */
static bool
is_over(const struct agg *agg)
{
	return agg->out.error != 0 || agg->summary_sink.crossed != NULL;
}

/* Take the lines that are in memory, until the source's clock has passed
 * limit_ns. -1: a bad line and --strict. *is_dry: there are no more. */
static int
read_lines(struct agg *agg, int64_t limit_ns, bool *is_dry)
{
	struct source *source = agg->sources.at;
	enum lines_result got;
	struct span text;

	*is_dry = false;
	while (!source->input->has_clock ||
	    source->input->clock_ns <= limit_ns) {
		/* Where memory ends a request may always be half way. */
		if (agg->stream.tags.n > STREAM_TAG_SETS)
			settle(agg);
		if (dispatch_framed(agg, &source->in)) {
			if (is_over(agg))
				return 0;
			continue;
		}
		got = lines_take(&source->in, &text);
		*is_dry = got == LINES_MORE;
		if (*is_dry)
			return 0;
		if (got == LINES_LONG ? dispatch_long(agg) < 0
		    : dispatch_line(agg, text) < 0)
			return -1;
		if (is_over(agg))
			return 0;
	}
	return 0;
}

/* Two threads, where lines need not be looked at one by one. */
static void
start_ahead(struct agg *agg, struct lines *in)
{
	struct prepare_rule rule = { agg->sink->ops->purpose,
	    agg->folding.calc_ns };

	if (agg->folding.is_merging || agg->sink != agg->last ||
	    agg->live.is_on)
		return;
	if (agg->ahead == NULL)
		agg->ahead = ahead_new(&rule);
	(void)ahead_start(agg->ahead, in);
}

/* Take what is prepared, until there are lines to take. False: the file is at
 * its end. */
static bool
read_ahead(struct agg *agg)
{
	const struct prepared *prepared;

	while (!is_over(agg)) {
		switch (ahead_next(agg->ahead, &prepared)) {
		case AHEAD_LINES:
			return true;
		case AHEAD_END:
			ahead_stop(agg->ahead);
			return false;
		case AHEAD_PREPARED:
			break;
		}
		if (ahead_has_forgotten(agg->ahead))
			summary_forget_tags(&agg->summary);
		dispatch_prepared(agg, prepared);
		if (*agg->stop != 0)
			return true;
	}
	return true;
}

/* As lines_fill, with the help of a second core where that can be. */
static int
fill(struct agg *agg, struct lines *in, struct why *why)
{
	bool is_new = in->fd < 0;
	int more;

	if (ahead_is_on(agg->ahead) && read_ahead(agg))
		return 1;
	if (is_new)
		source_file_end(agg->sources.at);
	more = lines_fill(in, why);
	if (more == 0)
		source_file_end(agg->sources.at);
	if (more > 0 && is_new && agg->options->is_merge)
		summary_next_input(&agg->summary);
	if (more > 0 && is_new)
		start_ahead(agg, in);
	return more;
}

/* Read all input. Returns 0, or -1 after a bad line with --strict. */
int
read_all(struct agg *agg)
{
	struct source *source;
	int64_t limit_ns;
	struct why why;
	bool is_dry;
	int more;

	while ((source = sources_next(&agg->sources, agg->folding.calc_ns,
	    &limit_ns)) != NULL) {
		agg->folding.source = (uint32_t)(source - agg->sources.list);
		if (read_lines(agg, limit_ns, &is_dry) < 0)
			return -1;
		if (is_over(agg))
			return 0;
		if (!is_dry)
			continue;
		draw_live(agg);
		wait_for_input(agg);
		if (lines_must_stop(&source->in, *agg->stop))
			return 0;
		settle(agg);
		more = fill(agg, &source->in, &why);
		if (more < 0) {
			live_clear(&agg->live);
			warnf("%s", why.text);
		}
		if (more == 0)
			folding_input_end(&agg->folding);
	}
	return 0;
}
