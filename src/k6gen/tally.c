/* SPDX-License-Identifier: MIT */
/* Sinks of all metrics and submetrics, added up. */
#include "k6gen/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES = 1000 };	/* that are counted each */

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
	struct outcome *o;
	struct by_name *n;
	size_t i, at;

	for (i = 0; i < EMITTED; i++)
		sink_release(&t->sinks[i]);
	for (i = 0; i < MOST_SUBMETRICS; i++)
		sink_release(&t->subs[i]);
	at = 0;
	while ((o = map_next(&t->outcomes, &at)) != NULL)
		free(o);
	at = 0;
	while ((n = map_next(&t->names, &at)) != NULL) {
		sink_release(&n->durations);
		free(n);
	}
	map_release(&t->outcomes);
	map_release(&t->names);
	free(t->checks);
	free(t->counts);
	*t = (struct tally){ .plan = NULL };
}

static void
add_to_subs(struct tally *t, enum emitted which, double value, int64_t time_ns,
    uint64_t subs)
{
	int i;

	for (; subs != 0; subs &= subs - 1) {
		i = __builtin_ctzll(subs);
		if (t->plan->submetrics[i].metric == which)
			sink_add(&t->subs[i], value, time_ns);
	}
}

void
tally_add(struct tally *t, enum emitted which, double value, int64_t time_ns,
    uint64_t subs)
{
	t->points++;
	sink_add(&t->sinks[which], value, time_ns);
	if (subs != 0)
		add_to_subs(t, which, value, time_ns, subs);
}

void
tally_add_ns(struct tally *t, enum emitted which, int64_t ns, int64_t time_ns,
    uint64_t subs)
{
	if (ns < 0) {
		tally_add(t, which, (double)ns / 1e6, time_ns, subs);
		return;
	}
	t->points++;
	if (t->counts == NULL)
		t->counts = xcalloc(EMITTED, sizeof(*t->counts));
	sink_add_ns(&t->sinks[which], &t->counts[which], ns, time_ns);
	if (subs != 0)
		add_to_subs(t, which, (double)ns / 1e6, time_ns, subs);
}

static struct outcome *
outcome_of(struct tally *t, const char *text, bool is_failure)
{
	struct outcome *o = map_get(&t->outcomes, span_of(text));

	if (o != NULL)
		return o;
	o = xcalloc(1, sizeof(*o) + strlen(text) + 1);
	memcpy(o->text, text, strlen(text) + 1);
	o->is_failure = is_failure;
	map_put(&t->outcomes, span_of(o->text), o);
	return o;
}

struct outcome *
tally_outcome(struct tally *t, int status, const char *reason)
{
	char text[16];

	if (status == 0)
		return outcome_of(t, reason, true);
	(void)snprintf(text, sizeof(text), "%d", status);
	return outcome_of(t, text, false);
}

struct by_name *
tally_name(struct tally *t, const char *name)
{
	struct by_name *n = map_get(&t->names, span_of(name));

	if (n == NULL && t->names.n >= NAMES) {
		name = "(others)";
		n = map_get(&t->names, span_of(name));
	}
	if (n != NULL)
		return n;
	n = xcalloc(1, sizeof(*n) + strlen(name) + 1);
	memcpy(n->text, name, strlen(name) + 1);
	n->durations.type = METRIC_TREND;
	map_put(&t->names, span_of(n->text), n);
	return n;
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

static void
move_requests(struct tally *t, struct tally *from)
{
	struct outcome *o;
	struct by_name *n, *to;
	size_t at = 0;

	while ((o = map_next(&from->outcomes, &at)) != NULL) {
		outcome_of(t, o->text, o->is_failure)->n += o->n;
		o->n = 0;
	}
	at = 0;
	while ((n = map_next(&from->names, &at)) != NULL) {
		to = tally_name(t, n->text);
		move_sink(&to->durations, &n->durations);
		to->failed += n->failed;
		n->failed = 0;
	}
}

void
tally_move(struct tally *t, struct tally *from)
{
	size_t i;

	move_requests(t, from);

	for (i = 0; i < EMITTED; i++) {
		if (from->counts != NULL)
			hist_add_tally(&t->sinks[i].hist, &from->counts[i]);
		move_sink(&t->sinks[i], &from->sinks[i]);
	}
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
	t->starved += from->starved;
	t->unanswered += from->unanswered;
	from->complete = from->interrupted = 0;
	from->starved = from->unanswered = 0;
}

const struct sink *
tally_sink(const struct tally *t, const struct limit *l)
{
	return l->submetric >= 0 ? &t->subs[l->submetric] :
	    &t->sinks[l->metric];
}
