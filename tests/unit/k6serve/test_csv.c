/* SPDX-License-Identifier: MIT */
#include "k6serve/view/csv.c"

#include "tap.h"

static bool
gives(const char *json, const char *csv)
{
	struct buf out = { 0 };
	bool is_it;

	csv_print(span_of(json), &out);
	is_it = span_is(buf_whole(&out), csv);
	if (!is_it)
		printf("# %s\n", out.p);
	buf_release(&out);
	return is_it;
}

static void
prints_tables(void)
{
	CHECK(gives("[]", "\r\n"));
	CHECK(gives("[{\"a\":1,\"b\":\"x\"},{\"b\":null,\"c\":{\"d\":2}}]",
	    "\"a\",\"b\",\"c.d\"\r\n1,\"x\",\r\n,,2\r\n"));
	CHECK(gives("[{\"a\":[1,\"x\"]}]", "\"a\"\r\n\"[1,\"\"x\"\"]\"\r\n"));
}

static void
quotes(void)
{
	CHECK(gives("[{\"a\":\"x\\\"y,\\n\"}]",
	    "\"a\"\r\n\"x\"\"y,\n\"\r\n"));
	CHECK(gives("[{\"a\":\"=1\"},{\"a\":-1},{\"a\":\"\\t@\"}]",
	    "\"a\"\r\n\"'=1\"\r\n-1\r\n\"'\t@\"\r\n"));
}

int
main(void)
{
	test("columns are those of all lines", prints_tables);
	test("texts are quoted and never formulas", quotes);
	return tap_end();
}
