/* SPDX-License-Identifier: MIT */
#include "data/bucket.h"

#include <stdlib.h>

/* A request as it waits: its trail, and the place of what is kept. */
struct waiting {
	struct trail trail;
	size_t kept_at;
	uint32_t kept_n, source;
};

/* The requests of one tag set in one bucket, in order of arrival. */
struct group {
	const struct tagset *tags;
	struct waiting *waiting;
	size_t n, cap;
	struct buf kept;
};

struct bucket {
	int64_t id;
	struct map by_tags;	/* of struct group; keyed by the pointer */
	struct group **groups;	/* in order of their first request */
	size_t n, cap;
};

static struct span
key_of(const struct group *g)
{
	return (struct span){ (const char *)&g->tags, sizeof(g->tags) };
}

static void
bucket_free(struct bucket *b)
{
	size_t i;

	for (i = 0; i < b->n; i++) {
		free(b->groups[i]->waiting);
		buf_release(&b->groups[i]->kept);
		free(b->groups[i]);
	}
	free(b->groups);
	map_release(&b->by_tags);
	free(b);
}

void
buckets_release(struct buckets *b)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		bucket_free(b->open[i]);
	free(b->open);
	free(b->scratch);
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
group_of(struct bucket *b, const struct tagset *tags)
{
	struct span key = { (const char *)&tags, sizeof(tags) };
	struct group *g = map_get(&b->by_tags, key);

	if (g != NULL)
		return g;
	g = xcalloc(1, sizeof(*g));
	g->tags = tags;
	b->groups = xgrow(b->groups, b->n, &b->cap, sizeof(b->groups[0]));
	b->groups[b->n++] = g;
	map_put(&b->by_tags, key_of(g), g);
	return g;
}

void
buckets_add(struct buckets *b, const struct trail *t, uint32_t source,
    struct span kept)
{
	int64_t id = t->time_ns / b->rule.period_ns;
	struct group *g = group_of(bucket_of(b, id), t->tags);

	b->requests++;
	b->late += b->has_closed && id <= b->closed_to;
	g->waiting = xgrow(g->waiting, g->n, &g->cap, sizeof(g->waiting[0]));
	g->waiting[g->n++] = (struct waiting){ *t, g->kept.n,
	    (uint32_t)kept.n, source };
	buf_span(&g->kept, kept);
}

/* The fence around one measure of all requests of a group. */
static struct fence
fence_around(struct buckets *b, const struct group *g, bool of_connection)
{
	size_t i;

	if (b->scratch_cap < g->n) {
		b->scratch_cap = g->n;
		b->scratch = xrealloc(b->scratch,
		    g->n * sizeof(b->scratch[0]));
	}
	for (i = 0; i < g->n; i++)
		b->scratch[i] = of_connection
		    ? trail_connection_ns(&g->waiting[i].trail)
		    : g->waiting[i].trail.ns[TIMING_DURATION];
	return fence_of(&b->rule.fence, b->scratch, g->n);
}

static void
pass(struct buckets *b, const struct group *g, const struct waiting *w,
    const struct bucket_out *out)
{
	b->passed++;
	out->kept(out->ctx, (struct span){ g->kept.p + w->kept_at,
	    w->kept_n });
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
			pass(b, g, &w, out);
		else
			g->waiting[n++] = w;
	}
	g->n = n;
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
	size_t i;

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
			pass(b, g, w, out);
		else
			aggregate_add(&a, &w->trail);
	}
	if (a.count > 0) {
		b->folded += a.count;
		b->aggregates++;
		out->aggregate(out->ctx, &a);
	}
	aggregate_release(&a);
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
		if (!b->has_closed || b->open[i]->id > b->closed_to)
			b->closed_to = b->open[i]->id;
		b->has_closed = true;
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
