/* SPDX-License-Identifier: MIT */
/* Lines that wait, in little memory: heads and tails are kept once. They are
 * packed here. */
#include "k6agg/fold/line_store.h"

#include <stdlib.h>

#include "k6agg/fold/line_store_priv.h"

static void
drop_tails(struct line_store *k)
{
	size_t i;
	int line;

	for (i = 0; i < k->n && !k->borrows; i++)
		for (line = 0; line < k->shapes[i].n; line++)
			if (k->shapes[i].tail[line] != NULL)
				tail_drop(k->shapes[i].tail[line]);
	k->n = 0;
}

void
line_store_release(struct line_store *k)
{
	drop_tails(k);
	free(k->shapes);
	line_form_free(k->form);
	buf_release(&k->packed);
	*k = (struct line_store){ 0 };
}

void
line_store_reset(struct line_store *k)
{
	drop_tails(k);
	line_form_free(k->form);
	k->form = NULL;
	buf_reset(&k->packed);
}

static bool
has_shape(const struct shape *s, const struct point *points, int n)
{
	int i;

	for (i = 0; i < n && i < s->n; i++)
		if (s->head[i] != points[i].head ||
		    s->tail[i] != points[i].tail)
			return false;
	return s->n == n;
}

static bool
is_same_shape(const struct shape *a, const struct shape *b)
{
	size_t n = (size_t)a->n;

	return a->n == b->n &&
	    memcmp(a->head, b->head, n * sizeof(a->head[0])) == 0 &&
	    memcmp(a->tail, b->tail, n * sizeof(a->tail[0])) == 0;
}

/* Most sets have one shape or a few; among those whose URLs were grouped
 * nearly each request has its own, and to look for it would take long. */
enum { SHAPES_SEARCHED = 32 };

static uint32_t
add_shape(struct line_store *k, struct line_store_set *set,
    const struct shape *like)
{
	struct shape *s;
	int i;

	k->shapes = xgrow(k->shapes, k->n, &k->cap, sizeof(k->shapes[0]));
	s = &k->shapes[k->n++];
	*s = *like;
	s->before = set->last;
	for (i = 0; i < s->n && !k->borrows; i++)
		if (s->tail[i] != NULL)
			(void)tail_hold(s->tail[i]);
	return (set->last = (uint32_t)k->n) - 1;
}

/* The index of the shape that the points have. */
static uint32_t
shape_of(struct line_store *k, struct line_store_set *set,
    const struct point *points, int n)
{
	uint32_t number = set->last;
	struct shape new = { .n = n };
	int i;

	for (i = 0; i < SHAPES_SEARCHED && number != 0; i++) {
		if (has_shape(&k->shapes[number - 1], points, n))
			return number - 1;
		number = k->shapes[number - 1].before;
	}
	for (i = 0; i < n; i++) {
		new.head[i] = points[i].head;
		new.tail[i] = points[i].tail;
	}
	return add_shape(k, set, &new);
}

/* The index of a shape like that of another keep. */
static uint32_t
shape_like(struct line_store *k, struct line_store_set *set,
    const struct shape *like)
{
	uint32_t number = set->last;
	int i;

	for (i = 0; i < SHAPES_SEARCHED && number != 0; i++) {
		if (is_same_shape(&k->shapes[number - 1], like))
			return number - 1;
		number = k->shapes[number - 1].before;
	}
	return add_shape(k, set, like);
}

static const char *
time_of(const struct point *p)
{
	return p->line.p + p->head->text.n;
}

static const char *
value_of(const struct point *p)
{
	return p->line.p + p->value_at;
}

static bool
has_time_of(const struct point *p, const struct point *before)
{
	return before->head != NULL && p->time_id == before->time_id;
}

/* Copy n bytes of a text that its tail follows, which is longer than 8. */
static inline char *
copy_text(char *to, const char *from, size_t n)
{
	if (n > 16) {
		memcpy(to, from, n);
		return to + n;
	}
	memcpy(to, from, 8);
	if (n > 8)
		memcpy(to + n - 8, from + n - 8, 8);
	return to + n;
}

/* Append one line; at is where it goes, with room enough. Returns the end. */
static char *
pack(char *at, const struct point *p, bool has_time)
{
	uint8_t time_n = has_time ? 0 : p->time_n;

	*at++ = (char)time_n;
	*at++ = (char)p->value_n;
	if (time_n != 0) {
		memcpy(at, time_of(p), time_n);
		at += time_n;
	}
	return copy_text(at, value_of(p), p->value_n);
}

static char *
pack_whole(char *at, struct span line)
{
	uint32_t n = (uint32_t)line.n;

	memcpy(at, &n, sizeof(n));
	memcpy(at + sizeof(n), line.p, n);
	return at + sizeof(n) + n;
}

/* The bytes of the values' texts, if all lines have a frame and the time of the
 * first one; else 0. */
static size_t
even_values(const struct point *points, int n)
{
	size_t bytes = 0;
	int i;

	for (i = 0; i < n; i++) {
		if (points[i].head == NULL ||
		    points[i].time_id != points[0].time_id)
			return 0;
		bytes += points[i].value_n;
	}
	return bytes;
}

/* The bytes of the lines as pack_each keeps them, at most. */
static size_t
each_bytes(const struct point *points, int n)
{
	size_t bytes = 0;
	int i;

	for (i = 0; i < n; i++)
		bytes += points[i].head == NULL ? sizeof(uint32_t) +
		    points[i].line.n : 2U + points[i].time_n +
		    points[i].value_n;
	return bytes;
}

static char *
pack_even(char *at, const struct point *points, int n)
{
	int i;

	*at++ = (char)points[0].time_n;
	for (i = 0; i < n; i++)
		*at++ = (char)points[i].value_n;
	/* The rest of its line is longer than such a step. */
	at = line_copy_steps(at, time_of(&points[0]), points[0].time_n,
	    LINE_SHORT_STEP);
	for (i = 0; i < n; i++)
		at = copy_text(at, value_of(&points[i]), points[i].value_n);
	return at;
}

static char *
pack_each(char *at, const struct point *points, int n)
{
	int i;

	for (i = 0; i < n; i++)
		at = points[i].head == NULL ? pack_whole(at, points[i].line)
		    : pack(at, &points[i],
		    i > 0 && has_time_of(&points[i], &points[i - 1]));
	return at;
}

size_t
line_store_add(struct line_store *k, struct line_store_set *set,
    const struct point *points, int n)
{
	uint32_t shape = shape_of(k, set, points, n);
	size_t place = k->packed.n, values = even_values(points, n);
	char *at;

	at = buf_room(&k->packed, sizeof(shape) + LINE_STEP + (values > 0
	    ? 1U + (size_t)n + points[0].time_n + values
	    : each_bytes(points, n)));
	if (values > 0)
		shape |= LINE_EVEN;
	memcpy(at, &shape, sizeof(shape));
	at += sizeof(shape);
	at = values > 0 ? pack_even(at, points, n) : pack_each(at, points, n);
	k->packed.n = (size_t)(at - k->packed.p);
	return place;
}

/* The end of a record whose shape has n lines. */
static const char *
end_of(const struct shape *s, const char *at, bool is_even)
{
	const uint8_t *sizes = (const uint8_t *)at;
	uint32_t whole;
	int i;

	if (is_even) {
		at += 1 + s->n + sizes[0];
		for (i = 0; i < s->n; i++)
			at += sizes[1 + i];
		return at;
	}
	for (i = 0; i < s->n; i++)
		if (s->head[i] == NULL) {
			memcpy(&whole, at, sizeof(whole));
			at += sizeof(whole) + whole;
		} else {
			at += 2 + (uint8_t)at[0] + (uint8_t)at[1];
		}
	return at;
}

size_t
line_store_copy(struct line_store *k, struct line_store_set *set,
    const struct line_store *from, size_t place)
{
	const char *at = from->packed.p + place;
	size_t here = k->packed.n, n;
	const struct shape *s;
	uint32_t shape, even;
	char *to;

	memcpy(&shape, at, sizeof(shape));
	at += sizeof(shape);
	even = shape & LINE_EVEN;
	s = &from->shapes[shape & ~LINE_EVEN];
	n = (size_t)(end_of(s, at, even != 0) - at);
	shape = shape_like(k, set, s) | even;
	to = buf_room(&k->packed, sizeof(shape) + n + LINE_STEP);
	memcpy(to, &shape, sizeof(shape));
	(void)line_copy_over(to + sizeof(shape), at, n);
	k->packed.n += sizeof(shape) + n;
	return here;
}
