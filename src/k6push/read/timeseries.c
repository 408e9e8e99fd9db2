/* SPDX-License-Identifier: MIT */
/*
 * Values come in the order of the stream, where series follow each other the
 * same way again and again; so each entry knows which came after it the last
 * time, and mostly two pointers are all that is compared. A slot has its own
 * tag sets, so that they go when it goes.
 */
#include "k6push/read/timeseries.h"

#include <stdlib.h>

#include "base/units.h"

struct entry_key {
	const struct metric *metric;
	const struct tagset *tags;	/* the slot's */
};

struct entry {
	struct entry_key key;
	const struct tagset *source;	/* the caller's; NULL: forgotten */
	struct slot *slot;
	struct entry *next;		/* in the same slot, or NULL */
	struct sink sink;
};

/* A tag set of the caller and the slot's copy. */
struct source {
	const struct tagset *theirs, *ours;
};

struct slot {
	int64_t id;			/* time / period, toward zero */
	int64_t first_ns, last_ns;	/* times in it */
	struct tags tags;
	struct map sources;		/* &theirs -> struct source */
	struct map by_key;		/* struct entry_key -> entry */
	struct entry **entries;
	size_t n, cap;
};

static void
forget_sources(struct slot *slot)
{
	struct source *source;
	size_t at = 0;

	while ((source = map_next(&slot->sources, &at)) != NULL)
		free(source);
	map_release(&slot->sources);
}

static void
slot_free(struct slot *slot)
{
	size_t i;

	for (i = 0; i < slot->n; i++) {
		sink_release(&slot->entries[i]->sink);
		free(slot->entries[i]);
	}
	forget_sources(slot);
	free(slot->entries);
	map_release(&slot->by_key);
	tags_release(&slot->tags);
	free(slot);
}

void
timeseries_release(struct timeseries *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		slot_free(t->slots[i]);
	free(t->slots);
	*t = (struct timeseries){ .period_ns = t->period_ns };
}

void
timeseries_forget_tags(struct timeseries *t)
{
	size_t i, k;

	for (i = 0; i < t->n; i++) {
		forget_sources(t->slots[i]);
		for (k = 0; k < t->slots[i]->n; k++)
			t->slots[i]->entries[k]->source = NULL;
	}
}

static struct slot *
slot_new(int64_t id, int64_t period)
{
	struct slot *slot = xcalloc(1, sizeof(*slot));

	slot->id = id;
	slot->first_ns = id > 0 ? id * period : (id - 1) * period + 1;
	slot->last_ns = id < 0 ? id * period : (id + 1) * period - 1;
	return slot;
}

/* The slot of a time. There are few, and a time is most often in the last. */
static struct slot *
slot_of(struct timeseries *t, int64_t time_ns)
{
	int64_t id = time_ns / t->period_ns;
	size_t at = t->n;

	while (at > 0 && t->slots[at - 1]->id > id)
		at--;
	if (at > 0 && t->slots[at - 1]->id == id)
		return t->slots[at - 1];
	t->slots = xgrow(t->slots, t->n, &t->cap, sizeof(t->slots[0]));
	memmove(t->slots + at + 1, t->slots + at,
	    (t->n - at) * sizeof(t->slots[0]));
	t->n++;
	return t->slots[at] = slot_new(id, t->period_ns);
}

static const struct tagset *
own_tags(struct slot *slot, const struct tagset *theirs)
{
	struct source *source = map_get(&slot->sources,
	    (struct span){ (const char *)&theirs, sizeof(theirs) });

	if (source != NULL)
		return source->ours;
	source = xmalloc(sizeof(*source));
	*source = (struct source){ theirs, tags_intern(&slot->tags,
	    theirs->tags, theirs->n) };
	map_put(&slot->sources, (struct span){ (const char *)&source->theirs,
	    sizeof(source->theirs) }, source);
	return source->ours;
}

static struct entry *
entry_of(struct timeseries *t, struct slot *slot, const struct metric *metric,
    const struct tagset *tags)
{
	struct entry_key key = { metric, own_tags(slot, tags) };
	struct entry *e = map_get(&slot->by_key,
	    (struct span){ (const char *)&key, sizeof(key) });

	if (e == NULL) {
		e = xcalloc(1, sizeof(*e));
		e->key = key;
		e->slot = slot;
		e->sink.type = metric->type;
		map_put(&slot->by_key, (struct span){ (const char *)&e->key,
		    sizeof(e->key) }, e);
		slot->entries = xgrow(slot->entries, slot->n, &slot->cap,
		    sizeof(slot->entries[0]));
		slot->entries[slot->n++] = e;
		t->n_entries++;
	}
	e->source = tags;
	return e;
}

struct sink *
timeseries_sink(struct timeseries *t, const struct metric *metric,
    const struct tagset *tags, int64_t time_ns)
{
	struct entry *e = t->last != NULL ? t->last->next : NULL;

	if (t->slot == NULL || time_ns < t->slot->first_ns ||
	    time_ns > t->slot->last_ns) {
		t->slot = slot_of(t, time_ns);
		t->last = e = NULL;
	}
	if (e == NULL || e->source != tags || e->key.metric != metric) {
		e = entry_of(t, t->slot, metric, tags);
		if (t->last != NULL)
			t->last->next = e;
	}
	t->last = e;
	return &e->sink;
}

/* How many slots are due; they are the first ones. */
static size_t
count_due(const struct timeseries *t, int64_t now_ns, int64_t wait_ns)
{
	size_t n = 0;

	if (now_ns == INT64_MAX)
		return t->n;
	while (n < t->n && t->slots[n]->id <= (now_ns - wait_ns) /
	    t->period_ns)
		n++;
	return n;
}

bool
timeseries_is_due(const struct timeseries *t, int64_t now_ns,
    int64_t wait_ns)
{
	return count_due(t, now_ns, wait_ns) > 0;
}

static int
by_bytes(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n != 0 ? memcmp(a.p, b.p, n) : 0;

	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

static int
by_series(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a;
	const struct entry *y = *(struct entry *const *)b;
	int order = 0;

	if (x->key.metric != y->key.metric)
		order = by_bytes(x->key.metric->name, y->key.metric->name);
	if (order == 0 && x->key.tags != y->key.tags)
		order = by_bytes(x->key.tags->json, y->key.tags->json);
	if (order == 0)
		order = (x->slot->id > y->slot->id) -
		    (x->slot->id < y->slot->id);
	return order;
}

static bool
is_same_series(const struct metricset_series *s, const struct entry *e)
{
	return span_equal(s->metric, e->key.metric->name) &&
	    (s->tags == e->key.tags || span_equal(s->tags->json,
	    e->key.tags->json));
}

/* Sorted entries as series, each with its values. */
static void
line_up(struct timeseries_taken *out, struct entry *const *entries, size_t n,
    int64_t period_ns)
{
	struct metricset_series *s = NULL;
	size_t i;

	out->series = xmalloc(n * sizeof(out->series[0]));
	out->values = xmalloc(n * sizeof(out->values[0]));
	for (i = 0; i < n; i++) {
		out->values[i] = (struct metricset_value){
		    entries[i]->slot->id * (period_ns / NS_PER_S),
		    &entries[i]->sink };
		if (s == NULL || !is_same_series(s, entries[i])) {
			s = &out->series[out->n++];
			*s = (struct metricset_series){
			    entries[i]->key.metric->name,
			    entries[i]->sink.type, entries[i]->key.tags,
			    &out->values[i], 0 };
		}
		s->n++;
	}
}

void
timeseries_take(struct timeseries *t, int64_t now_ns, int64_t wait_ns,
    size_t most, struct timeseries_taken *out)
{
	size_t n_slots = count_due(t, now_ns, wait_ns), n = 0, i, at = 0;
	struct entry **entries;

	if (n_slots > most)
		n_slots = most;
	for (i = 0; i < n_slots; i++)
		n += t->slots[i]->n;
	entries = xmalloc(n * sizeof(entries[0]));
	for (i = 0; i < n_slots; i++) {
		memcpy(entries + at, t->slots[i]->entries,
		    t->slots[i]->n * sizeof(entries[0]));
		at += t->slots[i]->n;
	}
	if (n > 0)
		qsort(entries, n, sizeof(entries[0]), by_series);
	*out = (struct timeseries_taken){ .n_slots = n_slots };
	line_up(out, entries, n, t->period_ns);
	free(entries);
	out->slots = xmalloc(n_slots * sizeof(out->slots[0]));
	memcpy(out->slots, t->slots, n_slots * sizeof(out->slots[0]));
	memmove(t->slots, t->slots + n_slots,
	    (t->n - n_slots) * sizeof(t->slots[0]));
	t->n -= n_slots;
	t->n_entries -= n;
	t->slot = NULL;
	t->last = NULL;
}

void
timeseries_taken_release(struct timeseries_taken *taken)
{
	size_t i;

	for (i = 0; i < taken->n_slots; i++)
		slot_free(taken->slots[i]);
	free(taken->slots);
	free(taken->series);
	free(taken->values);
	*taken = (struct timeseries_taken){ 0 };
}
