/* SPDX-License-Identifier: MIT */
#include "k6agg/summary/vus.c"

#include "tap.h"

#define S NS_PER_S

static void
test_sum(void)
{
	struct vus v = { .n = 0 };
	struct sink sum = { .type = METRIC_GAUGE };
	struct vus_instance *a = vus_instance(&v, SPAN("a")), *b;

	vus_add(a, 10, 100 * S + 1);
	CHECK(!vus_sum(&v, &sum));
	b = vus_instance(&v, SPAN("b"));
	CHECK(vus_instance(&v, SPAN("a")) == a && b != a);
	vus_add(a, 12, 100 * S + 5);	/* the last of the second */
	vus_add(a, 20, 102 * S);
	vus_add(b, 5, 101 * S);
	vus_add(b, 7, 99 * S);		/* late */
	CHECK(vus_sum(&v, &sum));
	/* 99: 7; 100: 7+12; 101: 5+12; 102: 20 */
	CHECK(sum.count == 4 && sum.min == 7 && sum.max == 20);
	CHECK(sum.last == 20 && sink_sum(&sum) == 7 + 19 + 17 + 20);
	vus_add(b, 5, 102 * S);
	CHECK(vus_sum(&v, &sum) && sum.max == 25 && sum.last == 25);
	vus_release(&v);
}

static void
test_limits(void)
{
	struct vus v = { .n = 0 };
	struct sink sum = { .type = METRIC_GAUGE };
	struct vus_instance *a = vus_instance(&v, SPAN("a"));

	vus_add(a, 1, -1);
	CHECK(a->first_s == -1);
	vus_add(a, 1, INT64_MAX);
	vus_add(a, 1, INT64_MIN);
	CHECK(a->n == 1);
	vus_add(vus_instance(&v, SPAN("b")), 1, INT64_MAX);
	CHECK(!vus_sum(&v, &sum));
	vus_release(&v);
}

int
main(void)
{
	test("generators are summed second by second", test_sum);
	test("times that no clock has are passed over", test_limits);
	return tap_end();
}
