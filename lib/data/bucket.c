/* SPDX-License-Identifier: MIT */
#include "data/bucket.h"

#include <stdlib.h>

#include "data/keep.h"

/* A request as it waits: its trail, and the place of its lines. */
struct waiting {
	struct trail trail;
	size_t place;
	uint32_t source;
};

/* The requests of one tag set in one bucket, in order of arrival. */
struct group {
	const struct tagset *tags;	/* held */
	struct waiting *waiting;
	size_t n, cap;
	struct keep kept;
};

enum { RECENT = 256 };

struct bucket {
	int64_t id;
	struct group *recent[RECENT];	/* by address of their tag set */
	struct map by_tags;	/* of struct group; keyed by their JSON */
	struct group **groups;	/* in order of their first request */
	size_t n, cap;
	struct aggregate overflow;	/* past max_groups */
};

static void
bucket_free(struct bucket *b)
{
	size_t i;

	for (i = 0; i < b->n; i++) {
		free(b->groups[i]->waiting);
		keep_release(&b->groups[i]->kept);
		tagset_drop(b->groups[i]->tags);
		free(b->groups[i]);
	}
	free(b->groups);
	map_release(&b->by_tags);
	aggregate_release(&b->overflow);
	free(b);
}

void
buckets_release(struct buckets *b)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		bucket_free(b->open[i]);
	free(b->open);
	free(b->scratch.values);
	free(b->scratch.inside);
	tags_release(&b->tags);
	*b = (struct buckets){ .rule = b->rule };
}

/* The open bucket of that id; made if there is none. Few are open at a time,
 * and the one wanted is nearly always among the last. */
static struct bucket *
bucket_of(struct buckets *b, int64_t id)
{
	size_t at = b->n;

	while (at > 0 && b->open[at - 1]->id > id)
		at--;
	if (at > 0 && b->open[at - 1]->id == id)
		return b->open[at - 1];
	b->open = xgrow(b->open, b->n, &b->cap, sizeof(b->open[0]));
	memmove(b->open + at + 1, b->open + at,
	    (b->n - at) * sizeof(b->open[0]));
	b->open[at] = xcalloc(1, sizeof(struct bucket));
	b->open[at]->id = id;
	b->n++;
	return b->open[at];
}

static struct group *
make_group(struct bucket *b, const struct tagset *tags)
{
	struct group *g = xcalloc(1, sizeof(*g));

	g->tags = tagset_hold(tags);
	g->waiting = xmalloc(sizeof(g->waiting[0]));	/* often the only one */
	g->cap = 1;
	b->groups = xgrow(b->groups, b->n, &b->cap, sizeof(b->groups[0]));
	b->groups[b->n++] = g;
	map_put(&b->by_tags, g->tags->json, g);
	return g;
}

/* Equal tag sets may stand at several addresses: they are grouped by what
 * they say, and found by address if they can. NULL: there are max already. */
static struct group *
group_of(struct buckets *bs, struct bucket *b, const struct tagset *tags)
{
	struct group **recent = &b->recent[(uintptr_t)tags / 64 % RECENT];
	struct group *g = *recent;

	if (g != NULL && g->tags == tags)
		return g;
	g = map_get(&b->by_tags, tags->json);
	if (g == NULL && bs->max_groups != 0 && bs->n_groups >= bs->max_groups)
		return NULL;
	if (g == NULL) {
		g = make_group(b, tags);
		bs->n_groups++;
	}
	return *recent = g;
}

void
buckets_add(struct buckets *b, const struct trail *t, uint32_t source,
    const struct point *points, int n)
{
	int64_t id = t->time_ns / b->rule.period_ns;
	struct bucket *bucket = bucket_of(b, id);
	struct group *g = group_of(b, bucket, t->tags);

	b->requests++;
	b->late += b->has_closed && id <= b->closed_to;
	if (g == NULL) {
		b->overflowed++;
		aggregate_add_all(&bucket->overflow, &t, 1,
		    &b->scratch.tally);
		return;
	}
	g->waiting = xgrow(g->waiting, g->n, &g->cap, sizeof(g->waiting[0]));
	g->waiting[g->n++] = (struct waiting){ *t,
	    keep_add(&g->kept, points, n), source };
}

/* The fence around one measure of all requests of a group. */
static struct fence
fence_around(struct buckets *b, const struct group *g, bool of_connection)
{
	int64_t *values = b->scratch.values;
	size_t i;

	for (i = 0; i < g->n; i++)
		values[i] = of_connection
		    ? trail_connection_ns(&g->waiting[i].trail)
		    : g->waiting[i].trail.ns[TIMING_DURATION];
	return fence_of(&b->rule.fence, values, g->n);
}

static void
make_scratch(struct bucket_scratch *s, size_t n)
{
	if (s->cap >= n)
		return;
	s->cap = n;
	s->values = xrealloc(s->values, n * sizeof(s->values[0]));
	s->inside = xrealloc(s->inside, n * sizeof(s->inside[0]));
}

static int64_t
middle_of(const struct buckets *b, int64_t id)
{
	return id * b->rule.period_ns + b->rule.period_ns / 2;
}

/* Let go of what was an outlier already. */
static void
pass_outliers(struct buckets *b, int64_t id, struct group *g,
    const struct bucket_out *out)
{
	struct waiting w;
	size_t i, n = 0;

	for (i = 0; i < g->n; i++) {
		w = g->waiting[i];
		if (out->is_outlier(out->ctx, middle_of(b, id), g->tags,
		    w.source))
			out->outlier(out->ctx, &g->kept, w.place);
		else
			g->waiting[n++] = w;
	}
	b->passed += g->n - n;
	g->n = n;
}

static void
put_aggregate(struct buckets *b, const struct aggregate *a,
    const struct bucket_out *out)
{
	b->folded += a->count;
	b->aggregates++;
	out->aggregate(out->ctx, a);
}

static void
close_group(struct buckets *b, int64_t id, struct group *g,
    const struct bucket_out *out)
{
	struct aggregate a = { .time_ns = middle_of(b, id),
	    .period_ns = b->rule.period_ns, .tags = g->tags };
	struct fence connection = { INT64_MIN, INT64_MAX };
	struct fence duration = { INT64_MIN, INT64_MAX };
	const struct waiting *w;
	bool is_small;
	size_t i, n = 0;

	make_scratch(&b->scratch, g->n);
	if (out->is_outlier != NULL)
		pass_outliers(b, id, g, out);
	is_small = g->n == 0 || (int64_t)g->n < b->rule.min_samples;
	if (!is_small && !b->rule.skip_outliers) {
		connection = fence_around(b, g, true);
		duration = fence_around(b, g, false);
	}
	for (i = 0; i < g->n; i++) {
		w = &g->waiting[i];
		if (is_small ||
		    !fence_holds(&connection, trail_connection_ns(&w->trail)) ||
		    !fence_holds(&duration, w->trail.ns[TIMING_DURATION]))
			out->outlier(out->ctx, &g->kept, w->place);
		else
			b->scratch.inside[n++] = &w->trail;
	}
	b->passed += g->n - n;
	if (n > 0) {
		aggregate_add_all(&a, b->scratch.inside, n,
		    &b->scratch.tally);
		put_aggregate(b, &a, out);
	}
	aggregate_release(&a);
}

static void
close_overflow(struct buckets *b, struct bucket *bucket,
    const struct bucket_out *out)
{
	static const struct tag name = { { "name", 4 },
	    { BUCKET_OVERFLOW, sizeof(BUCKET_OVERFLOW) - 1 } };
	struct aggregate *a = &bucket->overflow;

	if (a->count == 0)
		return;
	a->time_ns = middle_of(b, bucket->id);
	a->period_ns = b->rule.period_ns;
	a->tags = tags_intern(&b->tags, &name, 1);
	put_aggregate(b, a, out);
}

/* Close the first n open buckets. */
static void
close_first(struct buckets *b, size_t n, const struct bucket_out *out)
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < b->open[i]->n; k++)
			close_group(b, b->open[i]->id, b->open[i]->groups[k],
			    out);
		close_overflow(b, b->open[i], out);
		if (!b->has_closed || b->open[i]->id > b->closed_to)
			b->closed_to = b->open[i]->id;
		b->has_closed = true;
		b->n_groups -= b->open[i]->n;
		bucket_free(b->open[i]);
	}
	b->n -= n;
	memmove(b->open, b->open + n, b->n * sizeof(b->open[0]));
}

void
buckets_close(struct buckets *b, int64_t now_ns, int64_t wait_ns,
    const struct bucket_out *out)
{
	int64_t due_ns, cutoff;
	size_t n = 0;

	if (__builtin_sub_overflow(now_ns, wait_ns, &due_ns))
		return;
	cutoff = due_ns / b->rule.period_ns;
	while (n < b->n && b->open[n]->id <= cutoff)
		n++;
	if (n > 0)
		close_first(b, n, out);
}

void
buckets_close_all(struct buckets *b, const struct bucket_out *out)
{
	if (b->n > 0)
		close_first(b, b->n, out);
}
