/* SPDX-License-Identifier: MIT */
/*
 * Writes running series as a message, from its end to its beginning, as pb
 * does; so what is written last stands first.
 */
#include <stdlib.h>

#include "k6push/read/running.h"
#include "k6push/wire/wire_rw.h"

/* A series on its way out. */
struct outgoing {
	struct running *r;
	const struct running_series *s;
	enum running_what what;
	int64_t time_ms;
	struct pb_out *out;
	size_t n;		/* series of the receiver, written */
	struct buf name;	/* scratch */
};

static double
factor_of(const struct metric *m)
{
	return m->contains == CONTAINS_TIME ? 0.001 : 1;
}

/* The labels, which end a series. */
static void
put_head(struct outgoing *o, const char *suffix, size_t since)
{
	const struct remote_label none = { SPAN(""), SPAN("") };

	buf_reset(&o->name);
	remote_name(o->s->key.metric->name, &o->name);
	buf_text(&o->name, suffix);
	remote_put_labels(&o->s->key.target->labels, buf_whole(&o->name),
	    &none, o->out);
	pb_put_message(o->out, REMOTE_SERIES, since);
	o->n++;
}

/* What a series is to be told of, instead of its value. */
static double
value_of(const struct outgoing *o, double value)
{
	return o->what == RUNNING_BEGIN ? 0 : o->what == RUNNING_STALE
	    ? remote_stale() : value;
}

/* When a series that counts began; 0: that is not told. */
static int64_t
start_of(const struct outgoing *o)
{
	return o->r->config.is_start_told ? o->s->start_ms : 0;
}

static void
put_float(struct outgoing *o, const char *suffix, double value,
    int64_t start_ms)
{
	size_t since = o->out->n;

	remote_put_sample(value_of(o, value), o->time_ms, start_ms, o->out);
	put_head(o, suffix, since);
}

static void
put_counter(struct outgoing *o, const char *suffix, double value)
{
	put_float(o, suffix, value, start_of(o));
}

/* A gauge has no begin. */
static void
put_gauge(struct outgoing *o, const char *suffix, double value)
{
	if (o->what != RUNNING_BEGIN)
		put_float(o, suffix, value, 0);
}

static void
put_histogram(struct outgoing *o)
{
	const struct metric *m = o->s->key.metric;
	const char *suffix = m->contains == CONTAINS_TIME ? "_seconds"
	    : m->contains == CONTAINS_DATA ? "_bytes" : "";
	const struct native zero = { 0 };
	size_t since = o->out->n;

	native_encode(o->what == RUNNING_BEGIN ? &zero : &o->s->hist,
	    o->r->config.schema, value_of(o, sink_sum(&o->s->values) *
	    factor_of(m)), o->time_ms, start_of(o), o->out);
	pb_put_message(o->out, REMOTE_HISTOGRAM, since);
	put_head(o, suffix, since);
}

static double
stat_of(const struct outgoing *o, const struct running_stat *stat)
{
	const struct sink *v = &o->s->values;
	double factor = factor_of(o->s->key.metric);

	switch (stat->kind) {
	case STAT_COUNT:
		return (double)v->count;
	case STAT_SUM:
		return sink_sum(v) * factor;
	case STAT_MIN:
		return v->min * factor;
	case STAT_MAX:
		return v->max * factor;
	case STAT_AVG:
		return sink_avg(v) * factor;
	case STAT_QUANTILE:
		break;
	}
	return native_quantile(&o->s->hist, o->r->config.schema, stat->p,
	    v->min * factor, v->max * factor);
}

static void
put_series(struct outgoing *o)
{
	const struct sink *v = &o->s->values;
	int i;

	switch (o->s->key.metric->type) {
	case METRIC_COUNTER:
		put_counter(o, "_total", sink_sum(v));
		break;
	case METRIC_GAUGE:
		put_gauge(o, "", v->last);
		break;
	case METRIC_RATE:
		put_counter(o, "_nonzero_total", (double)v->nonzero);
		put_counter(o, "_total", (double)v->count);
		put_gauge(o, "_rate", (double)v->nonzero / (double)v->count);
		break;
	case METRIC_TREND:
		for (i = o->r->config.n_stats; i-- > 0;)
			put_gauge(o, o->r->config.stats[i].suffix, stat_of(o,
			    &o->r->config.stats[i]));
		if (o->r->config.has_histograms)
			put_histogram(o);
		break;
	}
}

/* The time of what is sent: that of its latest value, or the end of the run,
 * and later than what was sent before. A counter was 0 one interval before its
 * first value. */
static int64_t
time_of(const struct running *r, const struct running_series *s,
    enum running_what what)
{
	int64_t ms = what == RUNNING_LAST ? r->latest_ms : s->latest_ms;

	if (what == RUNNING_BEGIN)
		return s->first_ms - r->config.interval_ms;
	if (what == RUNNING_STALE)
		return s->sent_ms + r->config.interval_ms;
	return s->is_sent && ms <= s->sent_ms ? s->sent_ms + 1 : ms;
}

/* What is new of n series, of which counts[] are written. */
static void
put_books(struct running_series *const *list, size_t n, const size_t *counts,
    struct rw_share *shares)
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < counts[i]; k++)
			*shares++ = k > 0 ? (struct rw_share){ 0, 0 }
			    : (struct rw_share){ list[i]->points,
				list[i]->requests };
		list[i]->points = list[i]->requests = 0;
	}
}

size_t
running_encode(struct running *r, struct running_series *const *list,
    size_t n, enum running_what what, struct buf *plain)
{
	struct pb_out message = { 0 };
	struct outgoing o = { .r = r, .what = what, .out = &message };
	bool is_value = what == RUNNING_VALUES || what == RUNNING_LAST;
	size_t i, *counts = xcalloc(n + 1, sizeof(*counts));
	struct rw_share *shares;

	for (i = n; i-- > 0;) {
		if (what == RUNNING_BEGIN && list[i]->is_sent)
			continue;
		counts[i] = o.n;
		o.s = list[i];
		o.time_ms = time_of(r, list[i], what);
		if (what == RUNNING_BEGIN)
			list[i]->start_ms = o.time_ms;
		put_series(&o);
		counts[i] = o.n - counts[i];
		if (!is_value)
			continue;
		list[i]->sent_ms = o.time_ms;
		list[i]->is_sent = true;
		list[i]->is_changed = false;
	}
	shares = xcalloc(o.n + 1, sizeof(*shares));
	if (is_value)
		put_books(list, n, counts, shares);
	rw_put_plain(plain, shares, o.n, pb_whole(&message));
	pb_release(&message);
	buf_release(&o.name);
	free(shares);
	free(counts);
	return o.n;
}
