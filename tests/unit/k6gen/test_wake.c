/* SPDX-License-Identifier: MIT */
#include "k6gen/load/wake.c"

#include "random.h"
#include "tap.h"

static void
test_order(void)
{
	struct wake w = { .n = 0 };
	int64_t ns, before = -1, times[1000];
	int i, who;

	CHECK(wake_next_ns(&w) == INT64_MAX);
	for (i = 0; i < 1000; i++) {
		times[i] = (int64_t)random_below(500);
		wake_add(&w, times[i], i);
	}
	for (i = 0; i < 1000; i++) {
		CHECK(wake_take(&w, wake_next_ns(&w) - 1, &ns) == -1);
		who = wake_take(&w, 500, &ns);
		CHECK(who >= 0 && times[who] == ns && ns >= before);
		times[who] = -1;
		before = ns;
	}
	CHECK(wake_take(&w, INT64_MAX - 1, &ns) == -1);
	wake_release(&w);
}

int
main(void)
{
	test("each is woken once, the earliest first, none too early",
	    test_order);
	return tap_end();
}
