/* SPDX-License-Identifier: MIT */
#include "k6gen/request.c"

#include "tap.h"

static bool
finds(const char *lines, const char *name, const char *value)
{
	struct span found;
	size_t at = 0;

	return http_find_header(span_of(lines), name, &at, &found) &&
	    span_is(found, value);
}

static void
test_names(void)
{
	CHECK(finds("A: 1\nB: 2\n", "b", "2"));
	CHECK(finds("Ab: 1\nA: 2\n", "A", "2"));
	CHECK(finds("A: \n", "A", ""));
	CHECK(finds("A: 1", "A", "1"));
	CHECK(!finds("A: 1\n", "AB", "1") && !finds("", "A", ""));
}

static void
test_again(void)
{
	struct span lines = SPAN("C: 1\nD: 2\nC: 3\n"), value;
	size_t at = 0;

	CHECK(http_find_header(lines, "C", &at, &value));
	CHECK(span_is(value, "1"));
	CHECK(http_find_header(lines, "C", &at, &value));
	CHECK(span_is(value, "3"));
	CHECK(!http_find_header(lines, "C", &at, &value));
}

int
main(void)
{
	test("a header is found by its whole name, in any case", test_names);
	test("headers of one name are found in order", test_again);
	return tap_end();
}
