/* SPDX-License-Identifier: MIT */
/* Aggregates of many streams, merged by bucket and tag set. */
#include "k6agg/fold/aggregates.h"

#include <stdlib.h>

struct aggregates_entry {
	char *key;		/* owned: time, period, text of the tags */
	struct aggregate a;	/* but for its histograms; holds its tags */
	char *hists;		/* of all timings, encoded; owned */
	size_t hist_n[TIMINGS];	/* bytes of each; 0: it has none */
	uint32_t *sources;	/* in order of first sight; owned */
	size_t n_sources, cap_sources;
};

void
aggregates_release(struct aggregates *as)
{
	size_t i;

	for (i = 0; i < as->n; i++) {
		tagset_drop(as->list[i]->a.tags);
		free(as->list[i]->key);
		free(as->list[i]->hists);
		free(as->list[i]->sources);
		free(as->list[i]);
	}
	free(as->list);
	map_release(&as->by_key);
	buf_release(&as->scratch);
	buf_release(&as->key);
	*as = (struct aggregates){ 0 };
}

/* The aggregate of an entry with its histograms. */
static struct aggregate
unpack(const struct aggregates_entry *e)
{
	struct aggregate a = e->a;
	size_t at = 0;
	int i;

	for (i = 0; i < TIMINGS; i++) {
		if (e->hist_n[i] != 0)
			(void)hist_decode(&a.timing[i].hist, e->hists + at,
			    e->hist_n[i]);
		at += e->hist_n[i];
	}
	return a;
}

/* Put a into e, its histograms in their short form. */
static void
pack(struct aggregates_entry *e, const struct aggregate *a, struct buf *bytes)
{
	size_t before;
	int i;

	buf_reset(bytes);
	e->a = *a;
	for (i = 0; i < TIMINGS; i++) {
		before = bytes->n;
		if (hist_count(&a->timing[i].hist) == a->count)
			hist_encode(&a->timing[i].hist, bytes);
		e->hist_n[i] = bytes->n - before;
		e->a.timing[i].hist = (struct hist){ 0 };
	}
	free(e->hists);
	e->hists = xmalloc(bytes->n);
	memcpy(e->hists, buf_whole(bytes).p, bytes->n);
}

static bool
has_source(const struct aggregates_entry *e, uint32_t source)
{
	size_t i;

	for (i = 0; i < e->n_sources; i++)
		if (e->sources[i] == source)
			return true;
	return false;
}

static struct span
key_of(struct buf *key, int64_t time_ns, int64_t period_ns,
    const struct tagset *tags)
{
	buf_reset(key);
	buf_add(key, &time_ns, sizeof(time_ns));
	buf_add(key, &period_ns, sizeof(period_ns));
	buf_span(key, tags->json);
	return buf_whole(key);
}

static struct aggregates_entry *
new_entry(struct aggregates *as, struct span key, const struct tagset *tags)
{
	struct aggregates_entry *e = xcalloc(1, sizeof(*e));

	e->key = xmalloc(key.n);
	memcpy(e->key, key.p, key.n);
	(void)tagset_hold(tags);
	as->list = xgrow(as->list, as->n, &as->cap, sizeof(as->list[0]));
	as->list[as->n++] = e;
	map_put(&as->by_key, (struct span){ e->key, key.n }, e);
	return e;
}

void
aggregates_add(struct aggregates *as, const struct aggregate *a,
    uint32_t source)
{
	struct span key = key_of(&as->key, a->time_ns, a->period_ns, a->tags);
	struct aggregates_entry *e = map_get(&as->by_key, key);
	struct aggregate sum;

	if (e == NULL) {
		e = new_entry(as, key, a->tags);
		pack(e, a, &as->scratch);
	} else {
		sum = unpack(e);
		aggregate_merge(&sum, a);
		pack(e, &sum, &as->scratch);
		aggregate_release(&sum);
	}
	if (has_source(e, source))
		return;
	e->sources = xgrow(e->sources, e->n_sources, &e->cap_sources,
	    sizeof(e->sources[0]));
	e->sources[e->n_sources++] = source;
}

bool
aggregates_has(struct aggregates *as, int64_t time_ns, int64_t period_ns,
    const struct tagset *tags, uint32_t source)
{
	const struct aggregates_entry *e = map_get(&as->by_key,
	    key_of(&as->key, time_ns, period_ns, tags));

	return e != NULL && has_source(e, source);
}

static int
order(const void *a, const void *b)
{
	const struct aggregate *x = &(*(struct aggregates_entry *const *)a)->a;
	const struct aggregate *y = &(*(struct aggregates_entry *const *)b)->a;
	struct span s = x->tags->json, t = y->tags->json;
	int by_text = memcmp(s.p, t.p, s.n < t.n ? s.n : t.n);

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	if (x->period_ns != y->period_ns)
		return x->period_ns < y->period_ns ? -1 : 1;
	return by_text != 0 ? by_text : s.n < t.n ? -1 : s.n > t.n;
}

void
aggregates_each(struct aggregates *as,
    void (*each)(void *ctx, const struct aggregate *a), void *ctx)
{
	struct aggregate a;
	size_t i;

	if (as->n > 0)
		qsort(as->list, as->n, sizeof(as->list[0]), order);
	for (i = 0; i < as->n; i++) {
		a = unpack(as->list[i]);
		each(ctx, &a);
		aggregate_release(&a);
	}
}
