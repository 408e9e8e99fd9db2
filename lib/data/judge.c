/* SPDX-License-Identifier: MIT */
/* The thresholds of a run: fed with samples, judged. */
#include "data/judge.h"

#include <stdlib.h>

#include "base/units.h"
#include "data/judge_priv.h"

/* How often k6 judges while a run goes on. */
#define JUDGE_NS (2 * NS_PER_S)

void
judge_release(struct judge *j)
{
	struct judge_key *k, *next;
	size_t i, at = 0;
	char *name;

	while ((k = map_next(&j->by_metric, &at)) != NULL)
		for (; k != NULL; k = next) {
			next = k->next;
			sink_release(&k->sink);
			free(k);
		}
	map_release(&j->by_metric);
	at = 0;
	while ((name = map_next(&j->submetrics, &at)) != NULL)
		free(name);
	map_release(&j->submetrics);
	for (i = 0; i < j->n; i++) {
		free(j->list[i]->text);
		free(j->list[i]);
	}
	free(j->list);
	buf_release(&j->key);
	buf_release(&j->source);
	*j = (struct judge){ 0 };
}

static void
note_times(struct judge *j, int64_t from_ns, int64_t to_ns)
{
	if (!j->has_first || from_ns < j->first_ns)
		j->first_ns = from_ns;
	if (!j->has_first || to_ns > j->latest_ns)
		j->latest_ns = to_ns;
	j->has_first = true;
}

/* How long the run has lasted, as far as the samples of a key can tell. */
static int64_t
elapsed_ns(const struct judge *j, const struct judge_key *k)
{
	int64_t ns;

	if (!j->has_first || __builtin_sub_overflow(k->is_folded ?
	    j->folded_ns : j->latest_ns, j->first_ns, &ns))
		return 0;
	return ns > 0 ? ns : 0;
}

void
judge_add_point(struct judge *j, const struct point *p)
{
	struct judge_key *k;

	if (j->n == 0)
		return;
	note_times(j, p->time_ns, p->time_ns);
	k = map_get(&j->by_metric, p->metric->name);
	if (k != NULL && !k->has_type)
		judge_set_type(j, p->metric->name, p->metric->type);
	for (; k != NULL; k = k->next)
		if (threshold_key_matches(&k->key, p->tags))
			sink_add(&k->sink, p->value, p->time_ns);
}

/* Where a sample's values go that are not of the key. */
struct placing {
	struct judge_key *key;
	struct sink rest;
};

static struct sink *
place(void *ctx, const struct sample_series *at)
{
	struct placing *to = ctx;

	if (span_equal(at->metric, to->key->key.metric) &&
	    threshold_key_matches(&to->key->key, at->tags)) {
		to->key->is_folded = true;
		return &to->key->sink;
	}
	return &to->rest;
}

void
judge_add_sample(struct judge *j, const struct sample *s)
{
	int64_t half, from_ns, to_ns;
	struct placing to;
	size_t at = 0;

	if (j->n == 0)
		return;
	half = s->aggregate->period_ns / 2;
	if (!__builtin_sub_overflow(s->aggregate->time_ns, half, &from_ns) &&
	    !__builtin_add_overflow(s->aggregate->time_ns, half, &to_ns)) {
		note_times(j, from_ns, to_ns);
		if (!j->has_folded || to_ns > j->folded_ns)
			j->folded_ns = to_ns;
		j->has_folded = true;
	}
	while ((to.key = map_next(&j->by_metric, &at)) != NULL)
		for (; to.key != NULL; to.key = to.key->next) {
			to.rest = (struct sink){ .type = METRIC_COUNTER };
			sample_sink(s, place, &to);
			sink_release(&to.rest);
		}
}

void
judge_add_sink(struct judge *j, struct span metric, const struct tagset *tags,
    const struct sink *sink)
{
	struct judge_key *k;

	judge_set_type(j, metric, sink->type);
	for (k = map_get(&j->by_metric, metric); k != NULL; k = k->next)
		if ((k->key.n_tags == 0) == (tags == NULL) && (tags == NULL ||
		    threshold_key_matches(&k->key, tags)))
			sink_merge(&k->sink, sink);
}

/* A threshold with abortOnFail is crossed. Over no time there is no rate. */
static bool
may_abort(const struct judge *j, const struct verdict *v)
{
	int64_t ns = elapsed_ns(j, v->of);

	if (!v->threshold.aborts || v->is_misfit || ns < v->threshold.delay_ns)
		return false;
	if (ns == 0 && v->threshold.method == THRESHOLD_RATE &&
	    v->of->sink.type == METRIC_COUNTER)
		return false;
	return !threshold_holds(&v->threshold, &v->of->sink,
	    (double)ns / 1e9);
}

const struct verdict *
judge_clock(struct judge *j, int64_t time_ns)
{
	struct verdict *v;
	size_t i;
	bool is_due;

	if (!j->aborts)
		return NULL;
	is_due = j->has_clock && time_ns >= j->due_ns;
	if (j->has_clock && !is_due)
		return NULL;
	j->has_clock = true;
	if (__builtin_add_overflow(time_ns, JUDGE_NS, &j->due_ns))
		j->due_ns = INT64_MAX;
	for (i = 0; is_due && i < j->n; i++) {
		v = j->list[i];
		if (v->aborts_here && may_abort(j, v)) {
			v->is_told = v->is_failed = true;
			return v;
		}
	}
	return NULL;
}

bool
judge_ended_generator(const struct judge *j)
{
	size_t i;

	for (i = 0; i < j->n; i++)
		if (j->list[i]->ends_generator && j->list[i]->is_failed &&
		    may_abort(j, j->list[i]))
			return true;
	return false;
}

static bool
is_crossed(const struct verdict *v, double seconds, bool is_over)
{
	const struct sink *s = &v->of->sink;

	if (v->is_misfit)
		return false;
	if (!is_over || (s->count == 0 && !v->of->has_type &&
	    v->threshold.method == THRESHOLD_RATE))
		return !threshold_holds(&v->threshold, s, seconds);
	return !threshold_held(&v->threshold, s, seconds);
}

static size_t
judge_each(struct judge *j, double seconds, bool is_over)
{
	struct verdict *v;
	size_t i, n = 0;

	for (i = 0; i < j->n; i++) {
		v = j->list[i];
		if (!v->is_told)
			v->is_failed = is_crossed(v, seconds, is_over);
		n += v->is_failed;
	}
	return n;
}

size_t
judge_all(struct judge *j, double seconds)
{
	return judge_each(j, seconds, true);
}

size_t
judge_so_far(struct judge *j, double seconds)
{
	return judge_each(j, seconds, false);
}

bool
judge_has_samples(const struct verdict *v)
{
	return v->of->sink.count > 0;
}

double
judge_measure(const struct verdict *v, double seconds)
{
	return threshold_measure(&v->threshold, &v->of->sink, seconds);
}
