/* SPDX-License-Identifier: MIT */
#include "base/random.c"

#include "tap.h"

static void
hex(void)
{
	char a[33], b[33];

	random_hex(a, 16);
	random_hex(b, 16);
	CHECK(strlen(a) == 32 && strspn(a, "0123456789abcdef") == 32);
	CHECK(strcmp(a, b) != 0);
}

int
main(void)
{
	test("hex digits, two a byte, and others each time", hex);
	return tap_end();
}
