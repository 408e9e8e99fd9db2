/* SPDX-License-Identifier: MIT */
#include "k6gen/json_path.c"

#include "tap.h"

static const char json[] = "{\"a\": {\"b\": [1, {\"c\": \"x\\u0041\"}, "
    "true]}, \"n\": null, \"k\\u0041\": -2.50, \"a.b\": 1} trailing";

static void
check_found(const char *path, const char *expected, bool expects_text)
{
	struct buf scratch = { 0 };
	struct span value;
	bool is_text = false;

	CHECK(json_path_is(span_of(path)));
	CHECK(json_path_find(SPAN(json), span_of(path), &scratch, &value,
	    &is_text) == (expected != NULL));
	if (expected != NULL) {
		CHECK_SPAN(value, expected);
		CHECK(is_text == expects_text);
	}
	buf_release(&scratch);
}

static void
test_found(void)
{
	check_found("a.b[0]", "1", false);
	check_found("a.b[1].c", "xA", true);
	check_found("a.b[2]", "true", false);
	check_found("n", "null", false);
	check_found("kA", "-2.50", false);
	check_found("a.b[3]", NULL, false);
	check_found("a.c", NULL, false);
	check_found("a[0]", NULL, false);
	check_found("a.b.c", NULL, false);
	check_found("n.x", NULL, false);
}

static void
test_paths(void)
{
	static const char *const bad[] = { "", ".", "a.", ".a", "a..b", "a[",
		"a[]", "a[x]", "a[0", "a[0]b" };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!json_path_is(span_of(bad[i])));
	CHECK(json_path_is(SPAN("[0][1].a")));
}

int
main(void)
{
	test("a value is found by names and indexes", test_found);
	test("what is no path is told", test_paths);
	return tap_end();
}
