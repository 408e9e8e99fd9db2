/* SPDX-License-Identifier: MIT */
#include "data/keep.h"

#include <stdlib.h>

/* What the lines of a request look like around their times and values. */
struct shape {
	int n;				/* lines */
	const struct head *head[GROUP_MAX];	/* NULL: kept as a whole */
	struct tail *tail[GROUP_MAX];	/* held, or NULL */
};

/* A kept request is its shape's index and, for each line, the bytes of its
 * time (0: that of the line before), of its value, and both texts; for a line
 * without a frame, its length and the line. */

void
keep_release(struct keep *k)
{
	size_t i;
	int line;

	for (i = 0; i < k->n; i++)
		for (line = 0; line < k->shapes[i].n; line++)
			if (k->shapes[i].tail[line] != NULL)
				tail_drop(k->shapes[i].tail[line]);
	free(k->shapes);
	buf_release(&k->packed);
	*k = (struct keep){ 0 };
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

/* Most groups have one shape or a few; among those whose URLs were grouped
 * nearly each request has its own, and to look for it would take long. */
enum { SHAPES_SEARCHED = 32 };

static uint32_t
shape_of(struct keep *k, const struct point *points, int n)
{
	struct shape *s;
	size_t at = k->n;
	int i;

	while (at > 0 && k->n - at < SHAPES_SEARCHED)
		if (has_shape(&k->shapes[--at], points, n))
			return (uint32_t)at;
	if (k->cap == 0) {	/* it may well stay alone */
		k->shapes = xmalloc(sizeof(k->shapes[0]));
		k->cap = 1;
	}
	k->shapes = xgrow(k->shapes, k->n, &k->cap, sizeof(k->shapes[0]));
	s = &k->shapes[k->n];
	*s = (struct shape){ .n = n };
	for (i = 0; i < n; i++) {
		s->head[i] = points[i].head;
		if (points[i].tail != NULL)
			s->tail[i] = tail_hold(points[i].tail);
	}
	return (uint32_t)k->n++;
}

static const char *
time_of(const struct point *p)
{
	return p->line.p + p->head->text.n;
}

static const char *
value_of(const struct point *p)
{
	return time_of(p) + p->time_n + sizeof(FRAME_MIDDLE) - 1;
}

static bool
has_time_of(const struct point *p, const struct point *before)
{
	return before->head != NULL && p->time_id == before->time_id;
}

/* Copy n bytes of a text that its tail follows, which is longer than 8. */
static char *
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

size_t
keep_add(struct keep *k, const struct point *points, int n)
{
	uint32_t shape = shape_of(k, points, n);
	size_t place = k->packed.n, room = sizeof(shape) + 8;
	char *at;
	int i;

	for (i = 0; i < n; i++)
		room += points[i].head == NULL ? sizeof(uint32_t) +
		    points[i].line.n : 2U + points[i].time_n +
		    points[i].value_n;
	at = buf_room(&k->packed, room);
	memcpy(at, &shape, sizeof(shape));
	at += sizeof(shape);
	for (i = 0; i < n; i++)
		at = points[i].head == NULL ? pack_whole(at, points[i].line)
		    : pack(at, &points[i],
		    i > 0 && has_time_of(&points[i], &points[i - 1]));
	k->packed.n = (size_t)(at - k->packed.p);
	return place;
}

static const char *
unpack_whole(const char *at, struct buf *out)
{
	uint32_t n;

	memcpy(&n, at, sizeof(n));
	buf_add(out, at + sizeof(n), n);
	buf_char(out, '\n');
	return at + sizeof(n) + n;
}

static char *
put(char *to, struct span text)
{
	return (char *)mempcpy(to, text.p, text.n);
}

static void
print(const struct head *head, struct span time, struct span value,
    const struct tail *tail, struct buf *out)
{
	char *to = buf_room(out, head->text.n + time.n +
	    sizeof(FRAME_MIDDLE) + value.n + tail->text.n);

	to = put(to, head->text);
	to = put(to, time);
	to = put(to, SPAN(FRAME_MIDDLE));
	to = put(to, value);
	to = put(to, tail->text);
	*to++ = '\n';
	out->n = (size_t)(to - out->p);
}

void
keep_get(const struct keep *k, size_t place, struct buf *out)
{
	const char *at = k->packed.p + place;
	struct span time = { "", 0 }, value;
	const struct shape *s;
	uint32_t shape;
	int i;

	memcpy(&shape, at, sizeof(shape));
	at += sizeof(shape);
	s = &k->shapes[shape];
	for (i = 0; i < s->n; i++) {
		if (s->head[i] == NULL) {
			at = unpack_whole(at, out);
			continue;
		}
		if (at[0] != 0)
			time = (struct span){ at + 2, (uint8_t)at[0] };
		value = (struct span){ at + 2 + (uint8_t)at[0],
		    (uint8_t)at[1] };
		at = value.p + value.n;
		print(s->head[i], time, value, s->tail[i], out);
	}
}
