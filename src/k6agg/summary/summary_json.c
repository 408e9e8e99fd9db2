/* SPDX-License-Identifier: MIT */
/* The summary as one JSON object; its members stand in k6agg(1). */
#include "base/units.h"
#include "k6agg/summary/summary.h"

static void
put_time(struct json_out *o, const char *key, int64_t ns)
{
	char text[TIME_TEXT];

	json_member_text(o, key, (struct span){ text, time_print(text, ns) });
}

static void
put_count(struct json_out *o, const char *key, uint64_t n)
{
	json_member_int(o, key, (int64_t)n);
}

/* Members of a trend. Without values there is nothing to say of them. */
static void
put_trend(struct json_out *o, const struct sink *s)
{
	int i;

	if (s->count == 0)
		return;
	json_member_number(o, "min", s->min);
	json_member_number(o, "avg", sink_avg(s));
	json_member_number(o, "max", s->max);
	for (i = 0; i < QUANTILES; i++)
		json_member_number(o, quantiles[i].key,
		    sink_quantile(s, quantiles[i].at));
}

static void
put_requests(struct json_out *o, const struct summary_view *v,
    const struct request_row *r)
{
	json_member_number(o, "count", r->reqs.sum);
	put_count(o, "failed", r->failed.nonzero);
	json_member_number(o, "failed_rate", summary_part(&r->failed));
	json_member_number(o, "rate", summary_rate(v, r->reqs.sum));
	put_trend(o, &r->duration);
}

static void
put_row(struct json_out *o, const struct summary_view *v,
    const struct request_row *r)
{
	json_open(o, '{');
	json_member_text(o, "name", span_of(r->name));
	json_member_text(o, "method", span_of(r->method));
	json_member_text(o, "status", span_of(r->status));
	put_requests(o, v, r);
	json_close(o, '}');
}

static void
put_rate(struct json_out *o, const struct sink *s)
{
	json_member_number(o, "rate", summary_part(s));
	put_count(o, "passes", s->nonzero);
	put_count(o, "fails", s->count - s->nonzero);
}

static void
put_check(struct json_out *o, const struct check_row *c)
{
	json_open(o, '{');
	json_member_text(o, "name", span_of(c->name));
	json_member_text(o, "group", span_of(c->group));
	put_rate(o, &c->passes);
	json_close(o, '}');
}

static void
put_metric(struct json_out *o, const struct summary_view *v,
    const struct metric_row *m)
{
	const struct sink *s = &m->sink;

	json_key(o, m->name);
	json_open(o, '{');
	json_member_text(o, "type", span_of(metric_type_name(s->type)));
	json_member_text(o, "contains",
	    span_of(metric_contains_name(m->contains)));
	switch (s->type) {
	case METRIC_COUNTER:
		json_member_number(o, "count", s->sum);
		json_member_number(o, "rate", summary_rate(v, s->sum));
		break;
	case METRIC_GAUGE:
		json_member_number(o, "value", s->last);
		json_member_number(o, "min", s->min);
		json_member_number(o, "max", s->max);
		break;
	case METRIC_RATE:
		put_rate(o, s);
		break;
	case METRIC_TREND:
		put_count(o, "count", s->count);
		put_trend(o, s);
		break;
	}
	json_close(o, '}');
}

void
summary_print_json(const struct summary_view *v, FILE *out)
{
	const struct summary *s = v->summary;
	struct buf text = { 0 };
	struct json_out o = { .to = &text };
	size_t i;

	json_open(&o, '{');
	json_member_text(&o, "schema", SPAN("k6agg-summary"));
	json_member_int(&o, "version", 1);
	json_member_text(&o, "tool", SPAN("k6agg " K6PIPE_VERSION));
	if (s->has_points || s->has_aggregates) {
		put_time(&o, "start", v->from_ns);
		put_time(&o, "end", v->to_ns);
	}
	json_member_number(&o, "duration", v->seconds);
	json_key(&o, "requests");
	json_open(&o, '{');
	put_requests(&o, v, &v->all);
	json_close(&o, '}');
	json_key(&o, "by");
	json_open(&o, '[');
	for (i = 0; i < s->requests.n; i++)
		put_row(&o, v, s->requests.list[i]);
	json_close(&o, ']');
	json_key(&o, "checks");
	json_open(&o, '[');
	for (i = 0; i < s->checks.n; i++)
		put_check(&o, s->checks.list[i]);
	json_close(&o, ']');
	json_key(&o, "metrics");
	json_open(&o, '{');
	for (i = 0; i < s->metrics.n; i++)
		put_metric(&o, v, s->metrics.list[i]);
	json_close(&o, '}');
	json_member_int(&o, "skipped", v->skipped);
	json_close(&o, '}');
	buf_char(&text, '\n');
	(void)fwrite(text.p, 1, text.n, out);
	buf_release(&text);
}
