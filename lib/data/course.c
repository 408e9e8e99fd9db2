/* SPDX-License-Identifier: MIT */
/* The slots of a course: found, made, and joined when there are too many. */
#include "data/course.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LEAST_NS 1000000000LL	/* length of a slot at first */
#define MOST_NS (86400 * LEAST_NS)	/* a longer bucket is not believed */

/* A common multiple of two lengths may be so many times the longer one. */
enum { MOST_TIMES = 16 };

void
course_release(struct course *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		sink_release(&c->slots[i]);
	free(c->slots);
	*c = (struct course){ .type = c->type };
}

static int64_t
slot_of(int64_t time_ns, int64_t step_ns)
{
	return time_ns / step_ns - (time_ns % step_ns < 0);
}

/* Let the slots from number first on, n of them, be there; others are kept. */
static void
extend(struct course *c, int64_t first, size_t n)
{
	size_t before = c->n != 0 ? (size_t)(c->first - first) : 0, i;

	if (n > c->cap) {
		c->cap = n + n / 2;
		c->slots = xrealloc(c->slots, c->cap * sizeof(*c->slots));
	}
	if (before != 0)
		memmove(c->slots + before, c->slots, c->n * sizeof(*c->slots));
	for (i = 0; i < n; i++)
		if (i < before || i >= before + c->n)
			c->slots[i] = (struct sink){ .type = c->type };
	c->first = first;
	c->n = n;
}

/* Join slots so that each has the new length. */
static void
set_step(struct course *c, int64_t step_ns)
{
	struct course old = *c;
	struct sink *to;
	size_t i;

	*c = (struct course){ .type = old.type, .step_ns = step_ns };
	for (i = 0; i < old.n; i++) {
		to = course_at(c, (old.first + (int64_t)i) * old.step_ns, 0);
		sink_merge(to, &old.slots[i]);
	}
	old.type = c->type;
	course_release(&old);
}

static int64_t
common_multiple(int64_t a, int64_t b)
{
	int64_t x = a, y = b, rest;

	while (y != 0) {
		rest = x % y;
		x = y;
		y = rest;
	}
	return a / x > MOST_TIMES || b / x > MOST_TIMES ? 0 : a / x * b;
}

/* A slot holds whole buckets, if their lengths have a common multiple that is
 * not far off; otherwise it is not shorter than they are. */
static int64_t
step_for(int64_t step_ns, int64_t period_ns)
{
	int64_t common = common_multiple(step_ns, period_ns);

	if (common != 0)
		return common;
	return period_ns <= step_ns ? step_ns :
	    step_ns * ((period_ns - 1) / step_ns + 1);
}

struct sink *
course_at(struct course *c, int64_t time_ns, int64_t period_ns)
{
	int64_t at, first, last;

	if (period_ns > MOST_NS)
		period_ns = MOST_NS;
	if (c->step_ns == 0)
		c->step_ns = period_ns > LEAST_NS ? period_ns : LEAST_NS;
	if (period_ns > LEAST_NS && c->step_ns % period_ns != 0)
		set_step(c, step_for(c->step_ns, period_ns));
	for (;;) {
		at = slot_of(time_ns, c->step_ns);
		first = c->n == 0 || at < c->first ? at : c->first;
		last = c->n == 0 || at >= c->first + (int64_t)c->n ? at :
		    c->first + (int64_t)c->n - 1;
		if (last - first < COURSE_SLOTS)
			break;
		set_step(c, c->step_ns * 2);
	}
	if (c->n != (size_t)(last - first) + 1)
		extend(c, first, (size_t)(last - first) + 1);
	return &c->slots[at - c->first];
}

void
course_merge(struct course *c, const struct course *from)
{
	size_t i;

	for (i = 0; i < from->n; i++)
		if (from->slots[i].count != 0)
			sink_merge(course_at(c, (from->first + (int64_t)i) *
			    from->step_ns, from->step_ns), &from->slots[i]);
}

size_t
course_filled(const struct course *c)
{
	size_t i, n = 0;

	for (i = 0; i < c->n; i++)
		n += c->slots[i].count != 0;
	return n;
}
