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

static void
keys(void)
{
	char a[KEY_TEXT], b[KEY_TEXT];

	retry_key(a);
	retry_key(b);
	CHECK(strlen(a) == 16 && strspn(a, "0123456789abcdef") == 16);
	CHECK(strcmp(a, b) != 0);
}

int
main(void)
{
	test("pauses double up to 5 s, or are as long as asked for",
	    pauses);
	test("a key is 16 hex digits, another each time", keys);
	return tap_end();
}
