/* SPDX-License-Identifier: MIT */
/* The names of a plan's metrics, and the submetrics that are asked for. */
#include "k6gen/plan.h"

#include "data/metric.h"

#define OWN(text, type, contains) \
	{ { text, sizeof(text) - 1 }, METRIC_##type, CONTAINS_##contains, \
	    true, false }

/* k6 has nothing of the kind: how well the load was made. */
static const struct metric own_metrics[] = {
	OWN("schedule_lag", TREND, TIME),
	OWN("generator_lag", GAUGE, TIME),
	OWN("generator_cpu", GAUGE, DEFAULT),
};

static const struct metric *
builtin(const char *name)
{
	return metric_builtin(span_of(name));
}

const struct metric *
plan_metric(enum emitted which)
{
	switch (which) {
	case EMIT_REQS:
		return builtin("http_reqs");
	case EMIT_FAILED:
		return builtin("http_req_failed");
	case EMIT_SENT:
	case EMIT_RECEIVED:
	case EMIT_ITERATION_DURATION:
	case EMIT_ITERATIONS:
		return builtin(net_names[which - EMIT_SENT]);
	case EMIT_VUS:
		return builtin("vus");
	case EMIT_VUS_MAX:
		return builtin("vus_max");
	case EMIT_DROPPED:
		return builtin("dropped_iterations");
	case EMIT_CHECKS:
		return builtin("checks");
	case EMIT_SCHEDULE_LAG:
	case EMIT_GENERATOR_LAG:
	case EMIT_GENERATOR_CPU:
		return &own_metrics[which - EMIT_SCHEDULE_LAG];
	default:
		return builtin(timing_names[which - EMIT_TIMINGS]);
	}
}

enum emitted
plan_find_metric(struct span name)
{
	int i;

	for (i = 0; i < EMITTED; i++)
		if (span_equal(plan_metric((enum emitted)i)->name, name))
			break;
	return (enum emitted)i;
}

int
plan_add_submetric(struct plan *p, enum emitted metric,
    const struct threshold_key *key)
{
	size_t i;

	for (i = 0; i < p->n_submetrics; i++)
		if (span_equal(p->submetrics[i].key.text, key->text))
			return (int)i;
	if (i == MOST_SUBMETRICS)
		return -1;
	p->submetrics[p->n_submetrics++] = (struct submetric){ metric, *key };
	return (int)i;
}
