/* SPDX-License-Identifier: MIT */
/* Sinks of all metrics and submetrics, added up. */
#include "k6gen/tally.h"

#include <stdlib.h>

void
tally_init(struct tally *t, const struct plan *plan)
{
	size_t i;

	*t = (struct tally){ .plan = plan };
	for (i = 0; i < EMITTED; i++)
		t->sinks[i].type = plan_metric((enum emitted)i)->type;
	for (i = 0; i < plan->n_submetrics; i++)
		t->subs[i].type = t->sinks[plan->submetrics[i].metric].type;
	t->checks = xcalloc(plan->n_checks, sizeof(*t->checks));
}

void
tally_release(struct tally *t)
{
	size_t i;

	for (i = 0; i < EMITTED; i++)
		sink_release(&t->sinks[i]);
	for (i = 0; i < MOST_SUBMETRICS; i++)
		sink_release(&t->subs[i]);
	free(t->checks);
	*t = (struct tally){ .plan = NULL };
}

void
tally_add(struct tally *t, enum emitted which, double value, int64_t time_ns,
    uint64_t subs)
{
	int i;

	sink_add(&t->sinks[which], value, time_ns);
	for (; subs != 0; subs &= subs - 1) {
		i = __builtin_ctzll(subs);
		if (t->plan->submetrics[i].metric == which)
			sink_add(&t->subs[i], value, time_ns);
	}
	t->points++;
}

/* The memory of its histogram is kept. */
static void
move_sink(struct sink *to, struct sink *from)
{
	struct hist hist = from->hist;

	if (from->count == 0)
		return;
	sink_merge(to, from);
	hist_empty(&hist);
	*from = (struct sink){ .type = from->type, .hist = hist };
}

void
tally_move(struct tally *t, struct tally *from)
{
	size_t i;

	for (i = 0; i < EMITTED; i++)
		move_sink(&t->sinks[i], &from->sinks[i]);
	for (i = 0; i < t->plan->n_submetrics; i++)
		move_sink(&t->subs[i], &from->subs[i]);
	for (i = 0; i < t->plan->n_checks; i++) {
		t->checks[i].passes += from->checks[i].passes;
		t->checks[i].fails += from->checks[i].fails;
		from->checks[i] = (struct check_count){ 0, 0 };
	}
	t->points += from->points;
	t->requests += from->requests;
	t->complete += from->complete;
	t->interrupted += from->interrupted;
	from->points = from->requests = 0;
	from->complete = from->interrupted = 0;
}

const struct sink *
tally_sink(const struct tally *t, const struct limit *l)
{
	return l->submetric >= 0 ? &t->subs[l->submetric] :
	    &t->sinks[l->metric];
}
