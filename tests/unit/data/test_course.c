/* SPDX-License-Identifier: MIT */
/* The course of a metric over a run. */
#include "data/course.c"

#include "tap.h"

#define S 1000000000LL

static double
total(const struct course *c)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < c->n; i++)
		sum += sink_sum(&c->slots[i]);
	return sum;
}

static void
add(struct course *c, int64_t time_ns, int64_t period_ns)
{
	sink_add(course_at(c, time_ns, period_ns), 1, time_ns);
}

static void
is_by_seconds(void)
{
	struct course c = { .type = METRIC_COUNTER };

	add(&c, 10 * S + 5, 0);
	add(&c, 10 * S + 6, 0);
	add(&c, 12 * S, 0);
	add(&c, 7 * S, 0);	/* late */
	CHECK(c.step_ns == S && c.first == 7 && c.n == 6);
	CHECK(c.slots[0].count == 1 && c.slots[3].count == 2 &&
	    c.slots[4].count == 0 && c.slots[5].count == 1);
	CHECK(course_filled(&c) == 3);
	course_release(&c);
}

static void
is_bounded(void)
{
	struct course c = { .type = METRIC_COUNTER };
	int i;

	for (i = 0; i < 1000; i++)
		add(&c, i * S, 0);
	CHECK(c.step_ns == 8 * S && c.n == 125 && total(&c) == 1000);
	/* One value of another year, and the earliest one there is. */
	add(&c, 1700000000 * S, 0);
	add(&c, INT64_MIN, 0);
	CHECK(c.n <= COURSE_SLOTS && total(&c) == 1002);
	course_release(&c);
}

static void
keeps_buckets_whole(void)
{
	struct course c = { .type = METRIC_COUNTER };
	struct course odd = { .type = METRIC_COUNTER };
	size_t i;

	for (i = 0; i < 200; i++)
		add(&c, (int64_t)i * S, 0);
	CHECK(c.step_ns == 2 * S);
	for (i = 0; i < 66; i++)
		add(&c, (int64_t)i * 3 * S + S, 3 * S);
	CHECK(c.step_ns == 6 * S && total(&c) == 266);
	for (i = 1; i < 30; i++)
		CHECK(c.slots[i].count == 8);
	/* from the start, and of no sane length */
	add(&odd, 0, 10 * S);
	CHECK(odd.step_ns == 10 * S);
	add(&odd, 0, INT64_MAX);
	CHECK(odd.step_ns == 86400 * S && total(&odd) == 2);
	course_release(&c);
	course_release(&odd);
}

static void
merges(void)
{
	struct course a = { .type = METRIC_TREND };
	struct course b = { .type = METRIC_TREND };
	int i;

	for (i = 0; i < 300; i++) {
		sink_add(course_at(&a, i * S, 0), 10, i * S);
		if (i < 20)
			sink_add(course_at(&b, (i + 5) * S, 0), 20, i * S);
	}
	course_merge(&b, &a);
	CHECK(b.step_ns == a.step_ns && b.n == a.n && total(&b) == 3400);
	CHECK(b.slots[3].count == 8 && b.slots[3].max == 20);
	CHECK(hist_count(&b.slots[3].hist) == 8);
	course_release(&a);
	course_release(&b);
}

int
main(void)
{
	test("a value goes to its second", is_by_seconds);
	test("a long run has longer slots, not more of them", is_bounded);
	test("a slot holds whole buckets", keeps_buckets_whole);
	test("courses add up", merges);
	return tap_end();
}
