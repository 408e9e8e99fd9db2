/* SPDX-License-Identifier: MIT */
/* summary_export: the JSON that k6 run --summary-export writes. */
#include "base/mem.h"
#include "data/jsn.h"
#include "k6gen/report/summary.h"

/* {"p(95)<300":false}: whether each threshold of the key was crossed. */
static void
put_thresholds(const struct summary *s, struct jsn_out *o,
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
			jsn_key(o, "thresholds");
			jsn_open(o, '{');
		}
		has_any = true;
		buf_reset(&source);
		buf_span(&source, plan->limits[i].threshold.source);
		jsn_key(o, source.p);
		jsn_put_bool(o, s->failed[i]);
	}
	if (has_any)
		jsn_close(o, '}');
	buf_release(&source);
}

static void
put_values(const struct summary *s, struct jsn_out *o,
    const struct sink *sink)
{
	const struct plan *plan = s->tally->plan;
	size_t i;

	switch (sink->type) {
	case METRIC_TREND:
		for (i = 0; i < plan->n_stats; i++)
			jsn_member_number(o, plan->stats[i].name,
			    threshold_stat(sink, plan->stats[i].method,
			    plan->stats[i].percentile));
		break;
	case METRIC_COUNTER:
		jsn_member_number(o, "count", sink_sum(sink));
		jsn_member_number(o, "rate", s->seconds > 0 ?
		    sink_sum(sink) / s->seconds : 0);
		break;
	case METRIC_RATE:
		jsn_member_int(o, "passes", (int64_t)sink->nonzero);
		jsn_member_int(o, "fails",
		    (int64_t)(sink->count - sink->nonzero));
		jsn_member_number(o, "value", (double)sink->nonzero /
		    (double)sink->count);
		break;
	case METRIC_GAUGE:
		jsn_member_number(o, "value", sink->last);
		jsn_member_number(o, "min", sink->min);
		jsn_member_number(o, "max", sink->max);
		break;
	}
}

static void
put_metric(const struct summary *s, struct jsn_out *o, const char *name,
    enum emitted which, int submetric)
{
	const struct sink *sink = submetric >= 0 ?
	    &s->tally->subs[submetric] : &s->tally->sinks[which];

	if (sink->count == 0)
		return;
	jsn_key(o, name);
	jsn_open(o, '{');
	put_values(s, o, sink);
	put_thresholds(s, o, which, submetric);
	jsn_close(o, '}');
}

static void
put_checks(const struct summary *s, struct jsn_out *o)
{
	const struct plan *plan = s->tally->plan;
	struct buf path = { 0 };
	size_t i;

	for (i = 0; i < plan->n_checks; i++) {
		buf_reset(&path);
		buf_printf(&path, "::%s", plan->checks[i].name);
		jsn_key(o, plan->checks[i].name);
		jsn_open(o, '{');
		jsn_member_text(o, "name", span_of(plan->checks[i].name));
		jsn_member_text(o, "path", buf_whole(&path));
		jsn_member_int(o, "passes", s->tally->checks[i].passes);
		jsn_member_int(o, "fails", s->tally->checks[i].fails);
		jsn_close(o, '}');
	}
	buf_release(&path);
}

void
summary_export(const struct summary *s, struct buf *out)
{
	const struct plan *plan = s->tally->plan;
	struct jsn_out o = { .to = out };
	struct buf name = { 0 };
	size_t i;

	jsn_open(&o, '{');
	jsn_key(&o, "root_group");
	jsn_open(&o, '{');
	jsn_member_text(&o, "name", SPAN(""));
	jsn_member_text(&o, "path", SPAN(""));
	jsn_member_raw(&o, "groups", SPAN("{}"));
	jsn_key(&o, "checks");
	jsn_open(&o, '{');
	put_checks(s, &o);
	jsn_close(&o, '}');
	jsn_close(&o, '}');
	jsn_key(&o, "metrics");
	jsn_open(&o, '{');
	for (i = 0; i < EMITTED; i++)
		put_metric(s, &o, plan_metric((enum emitted)i)->name.p,
		    (enum emitted)i, -1);
	for (i = 0; i < plan->n_submetrics; i++) {
		buf_reset(&name);
		buf_span(&name, plan->submetrics[i].key.text);
		put_metric(s, &o, name.p, plan->submetrics[i].metric,
		    (int)i);
	}
	jsn_close(&o, '}');
	jsn_close(&o, '}');
	buf_char(out, '\n');
	buf_release(&name);
}
