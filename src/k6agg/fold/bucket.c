/* SPDX-License-Identifier: MIT */
/* Requests gathered by time and tag set, and folded when they are due. */
#include "k6agg/fold/bucket.h"

#include <stdlib.h>

#include "k6agg/fold/line_store.h"

/* A request as it waits: its trail, and the place of its lines. */
struct waiting {
	struct trail trail;
	size_t place;
	uint32_t group, source;
};

/* The requests of one tag set in one bucket. */
struct group {
	const struct tagset *tags;	/* held */
	struct line_store_set kept;
	uint32_t n;
};

enum { AHEAD = 4, RECENT = 1024 };

/* A bucket that held more is no spare one. */
enum { SPARE_REQUESTS = 1 << 15, SPARE_BYTES = 1 << 22 };

/* Requests are kept in order of arrival, whatever their group, so that adding
 * one only goes on where the one before ended. */
struct bucket {
	int64_t id;
	struct waiting *waiting;
	size_t n_waiting, waiting_cap;
	struct line_store kept;
	struct group *groups;	/* in order of their first request */
	size_t n, cap;
	struct map by_tags;	/* numbers of groups from 1 on, by their JSON */
	uint32_t recent[RECENT];	/* such numbers, by the set's address */
	struct aggregate overflow;	/* past max_groups */
};

/* Forget what the bucket holds; its memory stays. */
static void
empty(struct bucket *b)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		tagset_drop(b->groups[i].tags);
	b->n = b->n_waiting = 0;
	line_store_reset(&b->kept);
	map_release(&b->by_tags);
	memset(b->recent, 0, sizeof(b->recent));
	aggregate_release(&b->overflow);
}

static void
bucket_free(struct bucket *b)
{
	if (b == NULL)
		return;
	empty(b);
	line_store_release(&b->kept);
	free(b->waiting);
	free(b->groups);
	free(b);
}

void
buckets_release(struct buckets *b)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		bucket_free(b->open[i]);
	bucket_free(b->spare);
	free(b->open);
	free(b->scratch.values);
	free(b->scratch.inside);
	free(b->scratch.order);
	tags_release(&b->tags);
	*b = (struct buckets){ .rule = b->rule };
}

/* A bucket that is closed serves as the next one, unless it grew large. */
static void
recycle(struct buckets *bs, struct bucket *b)
{
	empty(b);
	if (bs->spare != NULL || b->waiting_cap > SPARE_REQUESTS ||
	    b->cap > SPARE_REQUESTS || b->kept.packed.cap > SPARE_BYTES ||
	    b->kept.cap > SPARE_REQUESTS)
		bucket_free(b);
	else
		bs->spare = b;
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
	b->open[at] = b->spare != NULL ? b->spare
	    : xcalloc(1, sizeof(struct bucket));
	b->spare = NULL;
	b->open[at]->id = id;
	b->n++;
	return b->open[at];
}

static uint32_t
make_group(struct bucket *b, const struct tagset *tags)
{
	b->groups = xgrow(b->groups, b->n, &b->cap, sizeof(b->groups[0]));
	b->groups[b->n++] = (struct group){ .tags = tagset_hold(tags) };
	map_put(&b->by_tags, tags->json, (void *)(uintptr_t)b->n);
	return (uint32_t)b->n;
}

/* The number of the group of a tag set; 0: there are max already. Equal tag
 * sets may stand at several addresses: they are grouped by what they say, and
 * found by address if they can. */
static uint32_t
group_of(struct buckets *bs, struct bucket *b, const struct tagset *tags)
{
	uint32_t *recent = &b->recent[(uintptr_t)tags / 16 * 0x9e3779b97f4a7c15U
	    >> 54], number = *recent;

	if (number != 0 && b->groups[number - 1].tags == tags)
		return number;
	number = (uint32_t)(uintptr_t)map_get(&b->by_tags, tags->json);
	if (number == 0 && bs->max_groups != 0 &&
	    bs->n_groups >= bs->max_groups)
		return 0;
	if (number == 0) {
		number = make_group(b, tags);
		bs->n_groups++;
	}
	return *recent = number;
}

/* A request that waits from now on; *g is its group. NULL: it is folded. */
static struct waiting *
wait_in(struct buckets *b, const struct trail *t, uint32_t source,
    struct bucket **bucket, struct group **g)
{
	int64_t id = t->time_ns / b->rule.period_ns;
	uint32_t number;
	struct waiting *w;

	*bucket = bucket_of(b, id);
	number = group_of(b, *bucket, t->tags);
	b->requests++;
	b->late += b->has_closed && id <= b->closed_to;
	if (number == 0) {
		b->overflowed++;
		aggregate_add_all(&(*bucket)->overflow, &t, 1,
		    &b->scratch.tally);
		return NULL;
	}
	*g = &(*bucket)->groups[number - 1];
	(*g)->n++;
	(*bucket)->waiting = xgrow((*bucket)->waiting, (*bucket)->n_waiting,
	    &(*bucket)->waiting_cap, sizeof(*w));
	w = &(*bucket)->waiting[(*bucket)->n_waiting++];
	w->trail = *t;
	w->group = number - 1;
	w->source = source;
	return w;
}

void
buckets_add(struct buckets *b, const struct trail *t, uint32_t source,
    const struct point *points, int n)
{
	struct bucket *bucket;
	struct group *g;
	struct waiting *w = wait_in(b, t, source, &bucket, &g);

	if (w != NULL)
		w->place = line_store_add(&bucket->kept, &g->kept, points, n);
}

void
buckets_add_kept(struct buckets *b, const struct trail *t, uint32_t source,
    const struct line_store *from, size_t place)
{
	struct bucket *bucket;
	struct group *g;
	struct waiting *w = wait_in(b, t, source, &bucket, &g);

	if (w != NULL)
		w->place = line_store_copy(&bucket->kept, &g->kept,
		    from, place);
}

/* The requests of one group that are still to be judged, in order of arrival,
 * while its bucket is closed. */
struct members {
	struct bucket *bucket;
	const struct tagset *tags;
	uint32_t *order;	/* their indexes in waiting */
	size_t n;
};

static const struct waiting *
member(const struct members *m, size_t i)
{
	return &m->bucket->waiting[m->order[i]];
}

/* The fence around one measure of all requests of a group. */
static struct fence
fence_around(struct buckets *b, const struct members *m, bool of_connection)
{
	int64_t *values = b->scratch.values;
	size_t i;

	for (i = 0; i < m->n; i++)
		values[i] = of_connection
		    ? trail_connection_ns(&member(m, i)->trail)
		    : member(m, i)->trail.ns[TIMING_DURATION];
	return fence_of(&b->rule.fence, values, m->n);
}

static void
make_scratch(struct bucket_scratch *s, size_t n)
{
	if (s->cap >= n)
		return;
	s->cap = n;
	s->values = xrealloc(s->values, n * sizeof(s->values[0]));
	s->inside = xrealloc(s->inside, n * sizeof(s->inside[0]));
	s->order = xrealloc(s->order, n * sizeof(s->order[0]));
}

static int64_t
middle_of(const struct buckets *b, int64_t id)
{
	return id * b->rule.period_ns + b->rule.period_ns / 2;
}

/* Let go of what was an outlier already. */
static void
pass_outliers(struct buckets *b, struct members *m,
    const struct bucket_out *out)
{
	int64_t middle_ns = middle_of(b, m->bucket->id);
	const struct waiting *w;
	size_t i, n = 0;

	for (i = 0; i < m->n; i++) {
		w = member(m, i);
		if (out->is_outlier(out->ctx, middle_ns, m->tags, w->source))
			out->outlier(out->ctx, &m->bucket->kept, w->place);
		else
			m->order[n++] = m->order[i];
	}
	b->passed += m->n - n;
	m->n = n;
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
close_group(struct buckets *b, struct members *m,
    const struct bucket_out *out)
{
	struct aggregate a = { .time_ns = middle_of(b, m->bucket->id),
	    .period_ns = b->rule.period_ns, .tags = m->tags };
	struct fence connection = { INT64_MIN, INT64_MAX };
	struct fence duration = { INT64_MIN, INT64_MAX };
	const struct waiting *w;
	bool is_small;
	size_t i, n = 0;

	if (out->is_outlier != NULL)
		pass_outliers(b, m, out);
	is_small = m->n == 0 || (int64_t)m->n < b->rule.min_samples;
	if (!is_small && !b->rule.skip_outliers) {
		connection = fence_around(b, m, true);
		duration = fence_around(b, m, false);
	}
	for (i = 0; i < m->n; i++) {
		if (i + AHEAD < m->n)
			line_store_expect(&m->bucket->kept,
			    member(m, i + AHEAD)->place);
		w = member(m, i);
		if (is_small ||
		    !fence_holds(&connection, trail_connection_ns(&w->trail)) ||
		    !fence_holds(&duration, w->trail.ns[TIMING_DURATION]))
			out->outlier(out->ctx, &m->bucket->kept, w->place);
		else
			b->scratch.inside[n++] = &w->trail;
	}
	b->passed += m->n - n;
	if (n > 0) {
		aggregate_add_all(&a, b->scratch.inside, n,
		    &b->scratch.tally);
		put_aggregate(b, &a, out);
	}
	aggregate_release(&a);
}

/* Close the groups in order, each with its requests. */
static void
close_groups(struct buckets *b, struct bucket *bucket,
    const struct bucket_out *out)
{
	struct members m = { .bucket = bucket };
	uint32_t *ends, end = 0;
	size_t i;

	make_scratch(&b->scratch, bucket->n_waiting);
	ends = xmalloc(bucket->n * sizeof(ends[0]));
	for (i = 0; i < bucket->n; i++) {
		ends[i] = end;
		end += bucket->groups[i].n;
	}
	for (i = 0; i < bucket->n_waiting; i++)
		b->scratch.order[ends[bucket->waiting[i].group]++] =
		    (uint32_t)i;
	for (i = 0; i < bucket->n; i++) {
		m.tags = bucket->groups[i].tags;
		m.n = bucket->groups[i].n;
		m.order = b->scratch.order + ends[i] - m.n;
		close_group(b, &m, out);
	}
	free(ends);
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
	struct bucket *bucket;
	size_t i;

	for (i = 0; i < n; i++) {
		bucket = b->open[i];
		close_groups(b, bucket, out);
		close_overflow(b, bucket, out);
		if (!b->has_closed || bucket->id > b->closed_to)
			b->closed_to = bucket->id;
		b->has_closed = true;
		b->n_groups -= bucket->n;
		recycle(b, bucket);
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
