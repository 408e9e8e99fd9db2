/* SPDX-License-Identifier: MIT */
/* A sample as values of the metrics that it stands for. */
#include "data/sample.h"

/* The rest of a series' name is the sample's. */
static struct sink *
sink_at(struct sample_series *at, const char *metric, enum metric_type type,
    sample_place *place, void *ctx)
{
	at->metric = span_of(metric);
	at->type = type;
	return place(ctx, at);
}

static void
add_trail(const struct trail *t, sample_place *place, void *ctx)
{
	struct sample_series at = { .tags = t->tags, .time_ns = t->time_ns };
	int i;

	sink_add(sink_at(&at, "http_reqs", METRIC_COUNTER, place, ctx), 1,
	    t->time_ns);
	for (i = 0; i < TIMINGS; i++)
		sink_add(sink_at(&at, timing_names[i], METRIC_TREND, place,
		    ctx), (double)t->ns[i] / 1e6, t->time_ns);
	if (t->failed >= 0)
		sink_add(sink_at(&at, "http_req_failed", METRIC_RATE, place,
		    ctx), t->failed, t->time_ns);
}

static void
add_net(const struct net_trail *t, sample_place *place, void *ctx)
{
	static const enum metric_type types[NET_VALUES] = { METRIC_COUNTER,
	    METRIC_COUNTER, METRIC_TREND, METRIC_COUNTER };
	struct sample_series at = { .tags = t->tags, .time_ns = t->time_ns };
	int i;

	for (i = 0; i < t->n; i++)
		sink_add(sink_at(&at, net_names[i], types[i], place, ctx),
		    t->value[i], t->time_ns);
}

/* Without a histogram only three things are known: one value is the least,
 * one the greatest, and the others have a known mean. */
static void
guess_hist(struct hist *h, const struct sink *s)
{
	double sum = sink_sum(s);

	if (s->count == 1) {
		hist_add(h, sum, 1);
		return;
	}
	hist_add(h, s->min, 1);
	hist_add(h, s->max, 1);
	if (s->count > 2)
		hist_add(h, (sum - s->min - s->max) /
		    (double)(s->count - 2), s->count - 2);
}

static void
add_fold(struct sink *to, const struct aggregate *a, const struct fold *f)
{
	struct sink s = {
		.type = METRIC_TREND,
		.count = a->count,
		.nonzero = f->max_ns != 0 ? a->count : 0,
		.sum = total_of_millionths(f->sum_ns),
		.min = (double)f->min_ns / 1e6,
		.max = (double)f->max_ns / 1e6,
		.last_ns = a->time_ns,
	};

	s.last = sink_avg(&s);
	if (hist_count(&f->hist) == a->count)
		hist_merge(&s.hist, &f->hist);
	else
		guess_hist(&s.hist, &s);
	sink_merge(to, &s);
	sink_release(&s);
}

/* How often and how many of them not 0, as a sink of values 0 and 1. */
static void
add_counts(struct sink *to, uint64_t count, uint64_t nonzero, int64_t ns)
{
	struct sink s = {
		.type = to->type, .count = count, .nonzero = nonzero,
		.sum = total_of((double)nonzero), .min = nonzero == count,
		.max = nonzero != 0, .last = nonzero != 0, .last_ns = ns,
	};

	sink_merge(to, &s);
}

static void
add_aggregate(const struct aggregate *a, sample_place *place, void *ctx)
{
	struct sample_series at = { .tags = a->tags, .time_ns = a->time_ns };
	int i;

	add_counts(sink_at(&at, "http_reqs", METRIC_COUNTER, place, ctx),
	    a->count, a->count, a->time_ns);
	for (i = 0; i < TIMINGS; i++)
		add_fold(sink_at(&at, timing_names[i], METRIC_TREND, place,
		    ctx), a, &a->timing[i]);
	if (a->failed_count != 0)
		add_counts(sink_at(&at, "http_req_failed", METRIC_RATE, place,
		    ctx), a->failed_count, a->failed_nonzero, a->time_ns);
}

void
sample_sink(const struct sample *s, sample_place *place, void *ctx)
{
	const struct sample_series at = { s->metric, s->type, s->tags,
	    s->time_ns };

	switch (s->kind) {
	case SAMPLE_POINT:
		sink_add(place(ctx, &at), s->value, s->time_ns);
		break;
	case SAMPLE_TRAIL:
		add_trail(s->trail, place, ctx);
		break;
	case SAMPLE_NET:
		add_net(s->net, place, ctx);
		break;
	case SAMPLE_AGGREGATE:
		add_aggregate(s->aggregate, place, ctx);
		break;
	}
}
