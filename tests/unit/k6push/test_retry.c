/* SPDX-License-Identifier: MIT */
#include "k6push/send/retry.c"

#include "base/units.h"
#include "tap.h"

static void
pauses(void)
{
	static const int64_t most[] = { 500, 500, 1000, 2000, 4000, 5000,
		5000 };
	int64_t pause;
	int i, k;

	for (i = 0; i < 7; i++)
		for (k = 0; k < 1000; k++) {
			pause = retry_pause_ns(i, -1);
			CHECK(pause <= most[i] * NS_PER_MS &&
			    pause >= most[i] * NS_PER_MS / 2);
		}
	CHECK(retry_pause_ns(1000000, 0) <= 5 * NS_PER_S);
	CHECK(retry_pause_ns(INT32_MAX, 7 * NS_PER_S) == 7 * NS_PER_S);
	CHECK(retry_pause_ns(1, 3600 * NS_PER_S) == 30 * NS_PER_S);
}

int
main(void)
{
	test("pauses double up to 5 s, or are as long as asked for",
	    pauses);
	return tap_end();
}
