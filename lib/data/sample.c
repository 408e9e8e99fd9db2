/* SPDX-License-Identifier: MIT */
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

uint64_t
sample_requests(const struct sample *s)
{
	switch (s->kind) {
	case SAMPLE_POINT:	/* of a trail that is not whole */
		return span_is(s->metric, "http_reqs") && s->value > 0 &&
		    s->value < 0x1p53 ? (uint64_t)s->value : 0;
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
static struct json_out
open_sample(struct buf *out, const char *type, struct span metric,
    int64_t time_ns, const char *data_type)
{
	struct json_out o = { .to = out };
	char text[NUM_TEXT];
	int n;

	json_open(&o, '{');
	json_key(&o, "type");
	json_put_text(&o, span_of(type));
	json_key(&o, "metric");
	json_put_text(&o, metric);
	json_key(&o, "data");
	json_open(&o, '{');
	json_key(&o, "time");
	n = snprintf(text, sizeof(text), "%lld",
	    (long long)(time_ns / NS_PER_US));
	json_put_text(&o, (struct span){ text, (size_t)n });
	json_key(&o, "type");
	json_put_text(&o, span_of(data_type));
	return o;
}

static void
put_tags(struct json_out *o, const struct tagset *tags, bool if_any)
{
	if (if_any && tags->n == 0)
		return;
	json_key(o, "tags");
	json_put_raw(o, tags->json);
}

static void
put_member(struct json_out *o, const char *key, double value)
{
	json_key(o, key);
	json_put_number(o, value);
}

static void
print_point(const struct sample *s, struct buf *out)
{
	struct json_out o = open_sample(out, "Point", s->metric, s->time_ns,
	    metric_type_name(s->type));

	put_tags(&o, s->tags, false);
	put_member(&o, "value", s->value);
	json_close(&o, '}');
	json_close(&o, '}');
}

static void
print_trail(const struct trail *t, struct buf *out)
{
	struct json_out o = open_sample(out, "Points", span_of(http_list),
	    t->time_ns, "counter");
	int i;

	put_tags(&o, t->tags, true);
	json_key(&o, "values");
	json_open(&o, '{');
	json_key(&o, "http_reqs");
	json_put_int(&o, 1);
	for (i = 0; i < TIMINGS; i++) {
		json_key(&o, timing_names[i]);
		json_put_ms(&o, t->ns[i]);
	}
	if (t->failed >= 0) {
		json_key(&o, "http_req_failed");
		json_put_int(&o, t->failed);
	}
	json_close(&o, '}');
	json_close(&o, '}');
	json_close(&o, '}');
}

static void
print_net(const struct net_trail *t, struct buf *out)
{
	struct json_out o = open_sample(out, "Points", span_of(iter_list),
	    t->time_ns, "counter");
	int i;

	put_tags(&o, t->tags, false);
	json_key(&o, "values");
	json_open(&o, '{');
	for (i = 0; i < t->n; i++)
		put_member(&o, net_names[i], t->value[i]);
	json_close(&o, '}');
	json_close(&o, '}');
	json_close(&o, '}');
}

/* A sum of nanoseconds as milliseconds; exact while it fits 64 bits. */
static void
put_sum(struct json_out *o, __int128 sum_ns)
{
	json_key(o, "sum");
	if (sum_ns >= INT64_MIN && sum_ns <= INT64_MAX)
		json_put_ms(o, (int64_t)sum_ns);
	else
		json_put_number(o, (double)sum_ns / 1e6);
}

static void
put_fold(struct json_out *o, const struct fold *f, uint64_t count,
    bool with_hist)
{
	json_open(o, '{');
	json_key(o, "min");
	json_put_ms(o, f->min_ns);
	json_key(o, "max");
	json_put_ms(o, f->max_ns);
	put_member(o, "avg", fold_avg_ms(f, count));
	if (with_hist && hist_count(&f->hist) == count) {
		json_key(o, "hist");
		json_open(o, '{');
		put_sum(o, f->sum_ns);
		hist_print(&f->hist, o);
		json_close(o, '}');
	}
	json_close(o, '}');
}

static void
print_aggregate(const struct aggregate *a, bool with_hist, struct buf *out)
{
	struct json_out o = open_sample(out, "AggregatedPoints",
	    span_of(http_list), a->time_ns, "aggregated_trend");
	char period[DURATION_TEXT];
	int i;

	json_key(&o, "count");
	json_put_int(&o, (int64_t)a->count);
	if (with_hist && a->period_ns > 0) {
		json_key(&o, "period");
		json_put_text(&o, (struct span){ period,
		    duration_print(period, a->period_ns) });
	}
	put_tags(&o, a->tags, false);
	json_key(&o, "values");
	json_open(&o, '{');
	for (i = 0; i < TIMINGS; i++) {
		json_key(&o, timing_names[i]);
		put_fold(&o, &a->timing[i], a->count, with_hist);
	}
	if (a->failed_count != 0) {
		json_key(&o, "http_req_failed");
		json_open(&o, '{');
		json_key(&o, "count");
		json_put_int(&o, (int64_t)a->failed_count);
		json_key(&o, "nz_count");
		json_put_int(&o, (int64_t)a->failed_nonzero);
		json_close(&o, '}');
	}
	json_close(&o, '}');
	json_close(&o, '}');
	json_close(&o, '}');
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
