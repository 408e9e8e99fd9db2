/* SPDX-License-Identifier: MIT */
#include "base/why.c"

#include "tap.h"

static void
fills_and_fails(void)
{
	struct why why;

	CHECK(why_set(&why, "%s:%d: bad", "a.ndjson", 17) == -1);
	CHECK_TEXT(why.text, "a.ndjson:17: bad");
}

static void
cuts(void)
{
	struct why why;

	CHECK(why_set(&why, "%0500d", 0) == -1);
	CHECK(strlen(why.text) == sizeof(why.text) - 1);
}

static void
takes_none(void)
{
	CHECK(why_set(NULL, "nobody %s", "asks") == -1);
}

int
main(void)
{
	test("why_set fills in the reason and returns -1", fills_and_fails);
	test("a reason that is too long is cut and ends in NUL", cuts);
	test("who does not ask for a reason may pass NULL", takes_none);
	return tap_end();
}
