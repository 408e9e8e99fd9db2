/* SPDX-License-Identifier: MIT */
/* The summary as one JSON object; k6agg(1) describes its members. */
#include <math.h>

#include "data/percentile.h"
#include "k6agg/summary/summary.h"

static void
put_count(struct jsn_out *o, const char *key, uint64_t n)
{
	jsn_member_int(o, key, (int64_t)n);
}

/* Members of a trend. Without values there is nothing to say of them. */
static void
put_trend(struct jsn_out *o, const struct sink *s)
{
	int i;

	if (s->count == 0)
		return;
	jsn_member_number(o, "min", s->min);
	jsn_member_number(o, "avg", sink_avg(s));
	jsn_member_number(o, "max", s->max);
	for (i = 0; i < PERCENTILES; i++)
		jsn_member_number(o, percentiles[i].key,
		    sink_quantile(s, percentiles[i].at));
}

/* What is not known is null. */
static void
put_requests(struct jsn_out *o, const struct summary_view *v,
    const struct request_row *r)
{
	bool is_known = summary_knows_failed(r);

	jsn_member_number(o, "count", sink_sum(&r->reqs));
	if (is_known || r->failed.count > 0)
		put_count(o, "failed", r->failed.nonzero);
	else
		jsn_member_raw(o, "failed", SPAN("null"));
	if (!is_known && r->failed.count > 0)
		put_count(o, "failed_of", r->failed.count);
	jsn_member_number(o, "failed_rate", summary_part(&r->failed));
	jsn_member_number(o, "rate", summary_rate(v, sink_sum(&r->reqs)));
	put_trend(o, &r->duration);
	jsn_key(o, "ok");
	if (!r->has_outcome) {
		jsn_put_raw(o, SPAN("null"));
		return;
	}
	jsn_open(o, '{');
	put_count(o, "count", r->ok.count);
	put_trend(o, &r->ok);
	jsn_close(o, '}');
}

static void
put_row(struct jsn_out *o, const struct summary_view *v,
    const struct request_row *r)
{
	jsn_open(o, '{');
	jsn_member_text(o, "name", span_of(r->name));
	jsn_member_text(o, "method", span_of(r->method));
	jsn_member_text(o, "status", span_of(r->status));
	put_requests(o, v, r);
	jsn_close(o, '}');
}

static void
put_rate(struct jsn_out *o, const struct sink *s)
{
	jsn_member_number(o, "rate", summary_part(s));
	put_count(o, "passes", s->nonzero);
	put_count(o, "fails", s->count - s->nonzero);
}

static void
put_check(struct jsn_out *o, const struct check_row *c)
{
	jsn_open(o, '{');
	jsn_member_text(o, "name", span_of(c->name));
	jsn_member_text(o, "group", span_of(c->group));
	put_rate(o, &c->passes);
	jsn_close(o, '}');
}

static void
put_metric(struct jsn_out *o, const struct summary_view *v,
    const struct metric_row *m)
{
	const struct sink *s = &m->sink;

	jsn_key(o, m->name);
	jsn_open(o, '{');
	jsn_member_text(o, "type", span_of(metric_type_name(s->type)));
	jsn_member_text(o, "contains",
	    span_of(metric_contains_name(m->contains)));
	switch (s->type) {
	case METRIC_COUNTER:
		jsn_member_number(o, "count", sink_sum(s));
		jsn_member_number(o, "rate", summary_rate(v, sink_sum(s)));
		break;
	case METRIC_GAUGE:
		jsn_member_number(o, "value", s->last);
		jsn_member_number(o, "min", s->min);
		jsn_member_number(o, "max", s->max);
		break;
	case METRIC_RATE:
		put_rate(o, s);
		break;
	case METRIC_TREND:
		put_count(o, "count", s->count);
		put_trend(o, s);
		break;
	}
	jsn_close(o, '}');
}

static void
put_threshold(struct jsn_out *o, const struct verdict *v, double seconds)
{
	jsn_open(o, '{');
	jsn_member_text(o, "metric", v->threshold.key.text);
	jsn_member_text(o, "threshold", v->threshold.source);
	jsn_member_number(o, "value", judge_has_samples(v)
	    ? judge_measure(v, seconds) : (double)NAN);
	jsn_key(o, "failed");
	jsn_put_bool(o, v->is_failed);
	jsn_close(o, '}');
}

void
summary_print_json(const struct summary_view *v, FILE *out)
{
	const struct summary *s = v->summary;
	struct buf text = { 0 };
	struct jsn_out o = { .to = &text };
	size_t i;

	jsn_open(&o, '{');
	jsn_member_text(&o, "schema", SPAN("k6agg-summary"));
	jsn_member_int(&o, "version", 1);
	jsn_member_text(&o, "tool", SPAN("k6agg " K6PIPE_VERSION));
	if (s->has_points || s->has_aggregates) {
		jsn_member_time(&o, "start", v->from_ns);
		jsn_member_time(&o, "end", v->to_ns);
	}
	jsn_member_number(&o, "duration", v->seconds);
	jsn_key(&o, "requests");
	jsn_open(&o, '{');
	put_requests(&o, v, &v->all);
	jsn_close(&o, '}');
	jsn_key(&o, "by");
	jsn_open(&o, '[');
	for (i = 0; i < s->requests.n; i++)
		put_row(&o, v, s->requests.list[i]);
	jsn_close(&o, ']');
	jsn_key(&o, "checks");
	jsn_open(&o, '[');
	for (i = 0; i < s->checks.n; i++)
		put_check(&o, s->checks.list[i]);
	jsn_close(&o, ']');
	jsn_key(&o, "metrics");
	jsn_open(&o, '{');
	for (i = 0; i < s->metrics.n; i++)
		put_metric(&o, v, s->metrics.list[i]);
	jsn_close(&o, '}');
	jsn_key(&o, "thresholds");
	jsn_open(&o, '[');
	for (i = 0; i < v->judge->n; i++)
		put_threshold(&o, v->judge->list[i], v->seconds);
	jsn_close(&o, ']');
	jsn_key(&o, "state");
	if (v->state != NULL)
		jsn_put_text(&o, span_of(v->state));
	else
		jsn_put_raw(&o, SPAN("null"));
	jsn_member_int(&o, "skipped", v->skipped);
	jsn_close(&o, '}');
	buf_char(&text, '\n');
	(void)fwrite(text.p, 1, text.n, out);
	buf_release(&text);
}
