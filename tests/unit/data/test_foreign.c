/* SPDX-License-Identifier: MIT */
#include "data/foreign.c"

#include "tap.h"

static bool
says(struct span head, const char *part)
{
	const char *hint = foreign_hint(head);

	return hint != NULL && strstr(hint, part) != NULL;
}

static void
test_packed(void)
{
	CHECK(says(SPAN("PK\003\004\024\0"), "unzip"));
	CHECK(says(SPAN("\xfd" "7zXZ\0\0"), "xz -dc"));
	CHECK(says(SPAN("BZh91AY"), "bzip2"));
	CHECK(says(SPAN("7z\xbc\xaf\x27"), "7z"));
}

static void
test_encodings(void)
{
	CHECK(says(SPAN("\xff\xfe{\0\"\0"), "iconv -f UTF-16 "));
	CHECK(says(SPAN("\xfe\xff\0{"), "iconv -f UTF-16 "));
	CHECK(says(SPAN("{\0\"\0"), "UTF-16LE"));
	CHECK(says(SPAN("\0{\0\""), "UTF-16BE"));
}

static void
test_json(void)
{
	CHECK(says(SPAN("[\n{\"type\""), "jq -c '.[]'"));
	CHECK(says(SPAN(" [{\"type\":\"Point\"}]"), "array"));
	CHECK(says(SPAN("{\n  \"type\": \"Point\","), "several lines"));
	CHECK(says(SPAN("{"), "several lines"));
	CHECK(says(SPAN("{\n  \"metrics\": {\n"), "summary of k6:"));
	CHECK(says(SPAN("{\"root_group\":{}}"), "summary of k6:"));
	CHECK(says(SPAN("{\"schema\":\"k6agg-summary\","), "k6agg"));
	CHECK(says(SPAN("{\"log\":\"{\\\"type\\\":"), "jq -rj .log"));
	CHECK(says(SPAN("k6-1  | {\"type\":\"Metric\""), "sed"));
	CHECK(says(SPAN("2026-03-01T10:00:00Z stdout F {\"metric\":\"m\""),
	    "sed"));
}

static void
test_others(void)
{
	CHECK(says(SPAN("metric_name,timestamp,metric_value,check\n"),
	    "CSV"));
	CHECK(says(SPAN("<!doctype html>"), "HTML"));
	CHECK(foreign_hint(SPAN("")) == NULL);
	CHECK(foreign_hint(SPAN("garbage")) == NULL);
	CHECK(foreign_hint(SPAN("{\"type\":\"Point\"")) == NULL);
}

static void
test_head(void)
{
	static const char text[] = "{\n\"metrics\":1}\n";
	struct span line = { text, 1 };

	CHECK_SPAN(foreign_head(line, (struct span){ text + 2, 9 }),
	    "{\n\"metrics\"");
	CHECK_SPAN(foreign_head(line, (struct span){ text, 0 }), "{");
}

int
main(void)
{
	test("archives are told by their magic", test_packed);
	test("UTF-16 is told with and without its mark", test_encodings);
	test("JSON of another form is told", test_json);
	test("so are CSV and HTML, and nothing else", test_others);
	test("a line and what follows it are looked at", test_head);
	return tap_end();
}
