/* SPDX-License-Identifier: MIT */
/* summary_export: the JSON that k6 run --summary-export writes. */
#include "base/mem.h"
#include "data/json.h"
#include "k6gen/report/summary.h"

/* {"p(95)<300":false}: whether each threshold of the key was crossed. */
static void
put_thresholds(const struct summary *s, struct json_out *o,
    enum emitted which, int submetric)
{
	const struct plan *plan = s->tally->plan;
	struct buf source = { 0 };
	bool has_any = false;
	size_t i;

	for (i = 0; i < plan->n_limits; i++) {
		if (plan->limits[i].metric != which ||
		    plan->limits[i].submetric != submetric)
			continue;
		if (!has_any) {
			json_key(o, "thresholds");
			json_open(o, '{');
		}
		has_any = true;
		buf_reset(&source);
		buf_span(&source, plan->limits[i].threshold.source);
		json_key(o, source.p);
		json_put_bool(o, s->failed[i]);
	}
	if (has_any)
		json_close(o, '}');
	buf_release(&source);
}

static void
put_values(const struct summary *s, struct json_out *o,
    const struct sink *sink)
{
	const struct plan *plan = s->tally->plan;
	size_t i;

	switch (sink->type) {
	case METRIC_TREND:
		for (i = 0; i < plan->n_stats; i++)
			json_member_number(o, plan->stats[i].name,
			    threshold_stat(sink, plan->stats[i].method,
			    plan->stats[i].percentile));
		break;
	case METRIC_COUNTER:
		json_member_number(o, "count", sink->sum);
		json_member_number(o, "rate", s->seconds > 0 ?
		    sink->sum / s->seconds : 0);
		break;
	case METRIC_RATE:
		json_member_int(o, "passes", (int64_t)sink->nonzero);
		json_member_int(o, "fails",
		    (int64_t)(sink->count - sink->nonzero));
		json_member_number(o, "value", (double)sink->nonzero /
		    (double)sink->count);
		break;
	case METRIC_GAUGE:
		json_member_number(o, "value", sink->last);
		json_member_number(o, "min", sink->min);
		json_member_number(o, "max", sink->max);
		break;
	}
}

static void
put_metric(const struct summary *s, struct json_out *o, const char *name,
    enum emitted which, int submetric)
{
	const struct sink *sink = submetric >= 0 ?
	    &s->tally->subs[submetric] : &s->tally->sinks[which];

	if (sink->count == 0)
		return;
	json_key(o, name);
	json_open(o, '{');
	put_values(s, o, sink);
	put_thresholds(s, o, which, submetric);
	json_close(o, '}');
}

static void
put_checks(const struct summary *s, struct json_out *o)
{
	const struct plan *plan = s->tally->plan;
	struct buf path = { 0 };
	size_t i;

	for (i = 0; i < plan->n_checks; i++) {
		buf_reset(&path);
		buf_printf(&path, "::%s", plan->checks[i].name);
		json_key(o, plan->checks[i].name);
		json_open(o, '{');
		json_member_text(o, "name", span_of(plan->checks[i].name));
		json_member_text(o, "path", buf_whole(&path));
		json_member_int(o, "passes", s->tally->checks[i].passes);
		json_member_int(o, "fails", s->tally->checks[i].fails);
		json_close(o, '}');
	}
	buf_release(&path);
}

void
summary_export(const struct summary *s, struct buf *out)
{
	const struct plan *plan = s->tally->plan;
	struct json_out o = { .to = out };
	struct buf name = { 0 };
	size_t i;

	json_open(&o, '{');
	json_key(&o, "root_group");
	json_open(&o, '{');
	json_member_text(&o, "name", SPAN(""));
	json_member_text(&o, "path", SPAN(""));
	json_member_raw(&o, "groups", SPAN("{}"));
	json_key(&o, "checks");
	json_open(&o, '{');
	put_checks(s, &o);
	json_close(&o, '}');
	json_close(&o, '}');
	json_key(&o, "metrics");
	json_open(&o, '{');
	for (i = 0; i < EMITTED; i++)
		put_metric(s, &o, plan_metric((enum emitted)i)->name.p,
		    (enum emitted)i, -1);
	for (i = 0; i < plan->n_submetrics; i++) {
		buf_reset(&name);
		buf_span(&name, plan->submetrics[i].key.text);
		put_metric(s, &o, name.p, plan->submetrics[i].metric,
		    (int)i);
	}
	json_close(&o, '}');
	json_close(&o, '}');
	buf_char(out, '\n');
	buf_release(&name);
}
