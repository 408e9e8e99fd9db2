/* SPDX-License-Identifier: MIT */
#include "data/sink.c"

#include "random.h"
#include "tap.h"

static void
empty(void)
{
	struct sink s = { .type = METRIC_TREND }, other = s;

	CHECK(sink_avg(&s) == 0 && sink_quantile(&s, 0.5) == 0);
	sink_add(&s, 5, 1);
	sink_merge(&s, &other);
	CHECK(s.count == 1 && s.min == 5 && s.last == 5);
	sink_merge(&other, &s);
	CHECK(other.count == 1 && other.min == 5 && other.max == 5);
	CHECK(sink_quantile(&other, 0.5) == 5);
	sink_release(&s);
	sink_release(&other);
	CHECK(s.type == METRIC_TREND && s.count == 0);
}

/* Whole nanoseconds come to what the same milliseconds do. */
static void
nanoseconds(void)
{
	static struct hist_tally counts;
	struct sink a = { .type = METRIC_TREND }, b = a;
	int64_t ns, time_ns;
	size_t i;

	for (i = 0; i < 20000; i++) {
		ns = (int64_t)random_below(UINT64_C(1) << random_below(50));
		time_ns = (int64_t)random_below(1000);
		if (i % 3 == 0)
			ns = 0;
		sink_add(&a, (double)ns / 1e6, time_ns);
		sink_add_ns(&b, &counts, ns, time_ns);
	}
	hist_add_tally(&b.hist, &counts);
	CHECK(a.count == b.count && a.nonzero == b.nonzero);
	CHECK(a.min == b.min && a.max == b.max);
	CHECK(a.last == b.last && a.last_ns == b.last_ns);
	CHECK(sink_sum(&a) == sink_sum(&b));
	CHECK(a.hist.n == b.hist.n);
	for (i = 0; i < a.hist.n; i++)
		CHECK(a.hist.buckets[i].index == b.hist.buckets[i].index &&
		    a.hist.buckets[i].count == b.hist.buckets[i].count);
	sink_release(&a);
	sink_release(&b);
}

static void
negative(void)
{
	struct sink s = { .type = METRIC_GAUGE };

	sink_add(&s, -3, 10);
	sink_add(&s, -7, 20);
	sink_add(&s, -5, 15);
	CHECK(s.min == -7 && s.max == -3 && s.last == -7);
	CHECK(sink_avg(&s) == -5 && s.hist.low == 0);
}

static void
rate(void)
{
	struct sink s = { .type = METRIC_RATE };

	sink_add(&s, 0, 1);
	sink_add(&s, -0.0, 2);
	sink_add(&s, 1, 3);
	sink_add(&s, 0.5, 3);
	CHECK(s.count == 4 && s.nonzero == 2 && s.last == 0.5);
}

static void
any_order(void)
{
	struct sink all = { .type = METRIC_TREND }, parts[3], sum = all;
	int64_t time;
	double v, p;
	int i;

	for (i = 0; i < 3; i++)
		parts[i] = all;
	for (i = 0; i < 3000; i++) {
		v = (double)random_below(1000000) / 1024;
		time = i * 7919 % 3001;		/* each but one, shuffled */
		sink_add(&all, v, time);
		sink_add(&parts[random_below(3)], v, time);
	}
	for (i = 2; i >= 0; i--)
		sink_merge(&sum, &parts[i]);
	CHECK(sum.count == all.count && sum.nonzero == all.nonzero);
	CHECK(sink_sum(&sum) == sink_sum(&all) && sum.min == all.min);
	CHECK(sum.max == all.max && sum.last == all.last);
	for (p = 0; p <= 1; p += 0.05)
		CHECK(sink_quantile(&sum, p) == sink_quantile(&all, p));
	sink_release(&all);
	sink_release(&sum);
	for (i = 0; i < 3; i++)
		sink_release(&parts[i]);
}

/* Times of whole nanoseconds: sums are equal to the last bit. */
static void
exact_sums(void)
{
	enum { N = 500, SHUFFLES = 100, PARTS = 5 };
	struct sink parts[PARTS], all = { .type = METRIC_COUNTER };
	double values[N], want;
	int64_t sum_ns = 0;
	int i, round;

	for (i = 0; i < N; i++) {
		sum_ns += i * INT64_C(7654321);
		values[i] = (double)(i * INT64_C(7654321)) / 1e6;
		sink_add(&all, values[i], i);
	}
	want = sink_sum(&all);
	CHECK(want == (double)sum_ns / 1e6);
	for (round = 0; round < SHUFFLES; round++) {
		random_shuffle(values, N);
		for (i = 0; i < PARTS; i++)
			parts[i] = (struct sink){ .type = METRIC_COUNTER };
		for (i = 0; i < N; i++)
			sink_add(&parts[random_below(PARTS)], values[i], i);
		for (i = 1; i < PARTS; i++)
			sink_merge(&parts[0], &parts[i]);
		CHECK(sink_sum(&parts[0]) == want);
		CHECK(sink_avg(&parts[0]) == want / N);
	}
}

int
main(void)
{
	test("an empty sink gives 0 and merges to nothing", empty);
	test("gauges may be negative; the last is the latest", negative);
	test("rates count what is not 0", rate);
	test("parts merge into the whole", any_order);
	test("nanoseconds come to what milliseconds do", nanoseconds);
	test("sums of times are exact, in any order and parts", exact_sums);
	return tap_end();
}
