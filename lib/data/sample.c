/* SPDX-License-Identifier: MIT */
/* Samples of the cloud's protocol 1, and AggregatedPoints, as JSON. */
#include "data/sample.h"

#include <stdio.h>

#include "base/num.h"
#include "base/units.h"

static const char http_list[] = "http_req_li_all", iter_list[] = "iter_li_all";

uint64_t
sample_points(const struct sample *s)
{
	switch (s->kind) {
	case SAMPLE_POINT:
		return 1;
	case SAMPLE_TRAIL:
		return 1 + TIMINGS + (s->trail->failed >= 0);
	case SAMPLE_NET:
		return (uint64_t)s->net->n;
	case SAMPLE_AGGREGATE:
		return s->aggregate->count * (1 + TIMINGS) +
		    s->aggregate->failed_count;
	}
	return 0;
}

int64_t
point_requests(struct span metric, double value)
{
	return value > 0 && value < 0x1p53 && span_is(metric, "http_reqs") ?
	    (int64_t)value : 0;
}

uint64_t
sample_requests(const struct sample *s)
{
	switch (s->kind) {
	case SAMPLE_POINT:	/* of a trail that is not whole */
		return (uint64_t)point_requests(s->metric, s->value);
	case SAMPLE_TRAIL:
		return 1;
	case SAMPLE_AGGREGATE:
		return s->aggregate->count;
	case SAMPLE_NET:
		break;
	}
	return 0;
}

/* Head of a sample up to its tags. Micros are rounded toward zero, as Go's
 * integer division does. */
static struct jsn_out
open_sample(struct buf *out, const char *type, struct span metric,
    int64_t time_ns, const char *data_type)
{
	struct jsn_out o = { .to = out };
	char text[NUM_TEXT];
	int n;

	jsn_open(&o, '{');
	jsn_key(&o, "type");
	jsn_put_text(&o, span_of(type));
	jsn_key(&o, "metric");
	jsn_put_text(&o, metric);
	jsn_key(&o, "data");
	jsn_open(&o, '{');
	jsn_key(&o, "time");
	n = snprintf(text, sizeof(text), "%lld",
	    (long long)(time_ns / NS_PER_US));
	jsn_put_text(&o, (struct span){ text, (size_t)n });
	jsn_key(&o, "type");
	jsn_put_text(&o, span_of(data_type));
	return o;
}

static void
put_tags(struct jsn_out *o, const struct tagset *tags, bool if_any)
{
	if (if_any && tags->n == 0)
		return;
	jsn_key(o, "tags");
	jsn_put_raw(o, tags->json);
}

static void
put_member(struct jsn_out *o, const char *key, double value)
{
	jsn_key(o, key);
	jsn_put_number(o, value);
}

static void
print_point(const struct sample *s, struct buf *out)
{
	struct jsn_out o = open_sample(out, "Point", s->metric, s->time_ns,
	    metric_type_name(s->type));

	put_tags(&o, s->tags, false);
	put_member(&o, "value", s->value);
	jsn_close(&o, '}');
	jsn_close(&o, '}');
}

static void
print_trail(const struct trail *t, struct buf *out)
{
	struct jsn_out o = open_sample(out, "Points", span_of(http_list),
	    t->time_ns, "counter");
	int i;

	put_tags(&o, t->tags, true);
	jsn_key(&o, "values");
	jsn_open(&o, '{');
	jsn_key(&o, "http_reqs");
	jsn_put_int(&o, 1);
	for (i = 0; i < TIMINGS; i++) {
		jsn_key(&o, timing_names[i]);
		jsn_put_ms(&o, t->ns[i]);
	}
	if (t->failed >= 0) {
		jsn_key(&o, "http_req_failed");
		jsn_put_int(&o, t->failed);
	}
	jsn_close(&o, '}');
	jsn_close(&o, '}');
	jsn_close(&o, '}');
}

static void
print_net(const struct net_trail *t, struct buf *out)
{
	struct jsn_out o = open_sample(out, "Points", span_of(iter_list),
	    t->time_ns, "counter");
	int i;

	put_tags(&o, t->tags, false);
	jsn_key(&o, "values");
	jsn_open(&o, '{');
	for (i = 0; i < t->n; i++)
		put_member(&o, net_names[i], t->value[i]);
	jsn_close(&o, '}');
	jsn_close(&o, '}');
	jsn_close(&o, '}');
}

/* A sum of nanoseconds as milliseconds; exact while it fits 64 bits. */
static void
put_sum(struct jsn_out *o, __int128 sum_ns)
{
	jsn_key(o, "sum");
	if (sum_ns >= INT64_MIN && sum_ns <= INT64_MAX)
		jsn_put_ms(o, (int64_t)sum_ns);
	else
		jsn_put_number(o, (double)sum_ns / 1e6);
}

static void
put_fold(struct jsn_out *o, const struct fold *f, uint64_t count,
    bool with_hist)
{
	jsn_open(o, '{');
	jsn_key(o, "min");
	jsn_put_ms(o, f->min_ns);
	jsn_key(o, "max");
	jsn_put_ms(o, f->max_ns);
	put_member(o, "avg", fold_avg_ms(f, count));
	if (with_hist && hist_count(&f->hist) == count) {
		jsn_key(o, "hist");
		jsn_open(o, '{');
		put_sum(o, f->sum_ns);
		hist_print(&f->hist, o);
		jsn_close(o, '}');
	}
	jsn_close(o, '}');
}

static void
print_aggregate(const struct aggregate *a, bool with_hist, struct buf *out)
{
	struct jsn_out o = open_sample(out, "AggregatedPoints",
	    span_of(http_list), a->time_ns, "aggregated_trend");
	char period[DURATION_TEXT];
	int i;

	jsn_key(&o, "count");
	jsn_put_int(&o, (int64_t)a->count);
	if (with_hist && a->period_ns > 0) {
		jsn_key(&o, "period");
		jsn_put_text(&o, (struct span){ period,
		    duration_print(period, a->period_ns) });
	}
	put_tags(&o, a->tags, false);
	jsn_key(&o, "values");
	jsn_open(&o, '{');
	for (i = 0; i < TIMINGS; i++) {
		jsn_key(&o, timing_names[i]);
		put_fold(&o, &a->timing[i], a->count, with_hist);
	}
	if (a->failed_count != 0) {
		jsn_key(&o, "http_req_failed");
		jsn_open(&o, '{');
		jsn_key(&o, "count");
		jsn_put_int(&o, (int64_t)a->failed_count);
		jsn_key(&o, "nz_count");
		jsn_put_int(&o, (int64_t)a->failed_nonzero);
		jsn_close(&o, '}');
	}
	jsn_close(&o, '}');
	jsn_close(&o, '}');
	jsn_close(&o, '}');
}

void
sample_print(const struct sample *s, bool with_hist, struct buf *out)
{
	switch (s->kind) {
	case SAMPLE_POINT:
		print_point(s, out);
		break;
	case SAMPLE_TRAIL:
		print_trail(s->trail, out);
		break;
	case SAMPLE_NET:
		print_net(s->net, out);
		break;
	case SAMPLE_AGGREGATE:
		print_aggregate(s->aggregate, with_hist, out);
		break;
	}
}
