/* SPDX-License-Identifier: MIT */
/* The line of --live on a terminal. */
#include "k6agg/live.h"

#include <stdio.h>
#include <unistd.h>

#include "base/die.h"
#include "base/num.h"
#include "base/units.h"
#include "data/percentile.h"

enum { REDRAW_NS = 200 * NS_PER_MS };

void
live_init(struct live *l)
{
	*l = (struct live){ .is_on = isatty(STDERR_FILENO) == 1,
	    .duration.type = METRIC_TREND, .failed.type = METRIC_RATE };
}

void
live_release(struct live *l)
{
	sink_release(&l->duration);
}

/* The rate is that of the stream's own time, over a second at least. */
static void
advance_clock(struct live *l, int64_t time_ns)
{
	if (!l->has_clock) {
		l->has_clock = true;
		l->clock_ns = l->window_ns = time_ns;
	}
	if (time_ns > l->clock_ns)
		l->clock_ns = time_ns;
	if (l->clock_ns / 2 - l->window_ns / 2 < NS_PER_S / 2)
		return;
	l->rate = (l->requests - l->window_requests) * 1e9 /
	    ((double)l->clock_ns - (double)l->window_ns);
	l->window_ns = l->clock_ns;
	l->window_requests = l->requests;
}

void
live_add_point(struct live *l, const struct point *p)
{
	if (!l->is_on)
		return;
	if (span_is(p->metric->name, "http_reqs")) {
		advance_clock(l, p->time_ns);
		l->requests += p->value;
	} else if (span_is(p->metric->name, "http_req_duration")) {
		sink_add(&l->duration, p->value, p->time_ns);
	} else if (span_is(p->metric->name, "http_req_failed")) {
		sink_add(&l->failed, p->value, p->time_ns);
	}
}

/* Values of other metrics go nowhere. */
static struct sink *
sink_of(void *ctx, const struct sample_series *at)
{
	struct sink **sinks = ctx;

	return span_is(at->metric, "http_req_duration") ? sinks[0]
	    : span_is(at->metric, "http_req_failed") ? sinks[1] : sinks[2];
}

void
live_add_sample(struct live *l, const struct sample *s)
{
	struct sink rest = { .type = METRIC_COUNTER };
	struct sink *sinks[] = { &l->duration, &l->failed, &rest };

	if (!l->is_on)
		return;
	sample_sink(s, sink_of, sinks);
	sink_release(&rest);
	advance_clock(l, s->time_ns);
	l->requests += (double)sample_requests(s);
}

/* A number, or a dash for what is not known, as in the summary. */
static const char *
number(char text[NUM_TEXT], bool is_known, int places, double value)
{
	if (!is_known)
		return "-";
	(void)snprintf(text, NUM_TEXT, "%.*f", places, value);
	return text;
}

static void
show(struct live *l, int64_t folded)
{
	double part = l->requests > 0 ? (double)folded / l->requests : 0;
	char text[160], rate[NUM_TEXT], p95[NUM_TEXT], failed[NUM_TEXT];

	(void)snprintf(text, sizeof(text), "%.0f requests, %s/s, p95 %s ms, "
	    "%s%% failed, %.0f%% folded", l->requests,
	    number(rate, l->rate > 0, 1, l->rate),
	    number(p95, l->duration.count > 0, 2,
	    sink_quantile(&l->duration, percentiles[P95].at)),
	    number(failed, l->failed.count > 0, 2,
	    (double)l->failed.nonzero * 100 / (double)l->failed.count),
	    part * 100);
	/* What is longer than the line would make another one. */
	(void)fprintf(stderr, "\r%.*s\033[K", stderr_columns() - 1, text);
	(void)fflush(stderr);
	l->is_shown = true;
}

void
live_draw(struct live *l, int64_t folded)
{
	int64_t now;

	if (!l->is_on || !l->has_clock)
		return;
	now = now_monotonic_ns();
	if (now < l->next_ns)
		return;
	l->next_ns = now + REDRAW_NS;
	show(l, folded);
}

void
live_clear(struct live *l)
{
	if (l->is_shown)
		(void)fputs("\r\033[K", stderr);
	l->is_shown = false;
}

void
live_end(struct live *l, int64_t folded)
{
	if (!l->is_on || !l->has_clock)
		return;
	show(l, folded);
	(void)fputc('\n', stderr);
	l->is_on = l->is_shown = false;
}
