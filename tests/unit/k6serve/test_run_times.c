/* SPDX-License-Identifier: MIT */
#include "k6serve/store/run_times.c"

#include "tap.h"

#define S(n) ((int64_t)(1700000000.0 * 1e9) + (int64_t)((n) * 1e9))

/* Protocol 2, 3 s buckets that begin at 0, 3, 6 and 9. */
static const struct store_extent buckets = { S(0), S(12), S(3), S(9) };

static bool
is(const struct store_run *run, int64_t start, int64_t end)
{
	struct run_times t = run_times(run);

	if (t.start_ns == start && t.end_ns == end)
		return true;
	printf("# %.3f to %.3f\n", (double)(t.start_ns - S(0)) / 1e9,
	    (double)(t.end_ns - S(0)) / 1e9);
	return false;
}

static void
told(void)
{
	struct store_run run = { .created_ns = S(500), .ended_ns = S(501),
	    .start_ns = S(1), .end_ns = S(11), .data = buckets };

	CHECK(is(&run, S(1), S(11)));
	CHECK(run_seconds(&run) == 10);
	run.end_ns = S(0);
	CHECK(is(&run, S(1), S(1)));
}

static void
made_and_finished(void)
{
	struct store_run run = { .created_ns = S(0.7), .ended_ns = S(10.7),
	    .seen_ns = S(10.6), .data = buckets };

	CHECK(is(&run, S(0.7), S(10.7)));
	/* made long before, finished long after */
	run.created_ns = S(-20);
	run.ended_ns = S(40);
	CHECK(is(&run, S(0), S(12)));
	/* it goes on */
	run.ended_ns = 0;
	run.seen_ns = S(9.5);
	CHECK(is(&run, S(0), S(9.5)));
	/* a clock of the server that is behind */
	run.seen_ns = S(2);
	CHECK(is(&run, S(0), S(9)));
}

static void
later(void)
{
	struct store_run run = { .created_ns = S(500), .ended_ns = S(501),
	    .seen_ns = S(501), .data = buckets };

	CHECK(is(&run, S(1.5), S(10.5)));
	run.data = (struct store_extent){ S(1), S(9), S(1), S(9) };
	CHECK(is(&run, S(1), S(9)));
}

static void
little(void)
{
	struct store_run run = { .created_ns = S(5), .seen_ns = S(5) };

	CHECK(is(&run, S(5), S(5)) && run_seconds(&run) == 0);
	/* one bucket */
	run.created_ns = S(1);
	run.ended_ns = S(2);
	run.data = (struct store_extent){ S(0), S(3), S(3), S(0) };
	CHECK(is(&run, S(1), S(2)));
	run.created_ns = S(90);
	run.ended_ns = S(91);
	CHECK(run_seconds(&run) == 3);
}

int
main(void)
{
	test("what the sender told counts", told);
	test("else when the run was made and finished, within its data",
	    made_and_finished);
	test("else its data, the middle of what a bucket leaves open", later);
	test("a run of one bucket, or of none", little);
	return tap_end();
}
