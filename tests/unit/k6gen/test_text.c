/* SPDX-License-Identifier: MIT */
#include "k6gen/targets/text.c"

#include <stdio.h>
#include <unistd.h>

#include "tap.h"

static struct rows rows;
static struct why why;

static int
compile(struct text *t, enum text_place place, struct span source,
    const struct rows *from)
{
	struct text_rules rules = { .place = place, .rows = from };

	return text_compile(t, source, &rules, &why);
}

static struct buf
fill(const char *source, const struct text_values *v)
{
	struct buf out = { 0 };
	struct text t;

	CHECK(compile(&t, TEXT_HEADER, span_of(source), &rows) == 0);
	text_fill(&t, v, &out);
	text_release(&t);
	return out;
}

static void
test_fill(void)
{
	struct dice dice = { 7 };
	struct text_values v = { .vu = 3, .iter = 0, .seq = 41, .row = 1,
		.rows = &rows, .dice = &dice };
	struct buf b = fill("/u/{{vu}}/{{ iter }}?s={{seq}}&n={{row.name}}",
	    &v);

	CHECK_BUF(b, "/u/3/0?s=41&n=b,c");
	buf_release(&b);
	b = fill("{{rand 5 5}}{{rand -2 -2}}", &v);
	CHECK_BUF(b, "5-2");
	buf_release(&b);
	b = fill("no {placeholders} }}", &v);
	CHECK_BUF(b, "no {placeholders} }}");
	buf_release(&b);
	b = fill("{{uuid}}", &v);
	CHECK(b.n == 36 && b.p[14] == '4' && strchr("89ab", b.p[19]) != NULL);
	buf_release(&b);
}

/* Fill in a text of that place with the row 0 of `id,name`: 1,a "x". */
static void
check_escaped(enum text_place place, const char *source, const char *expected)
{
	struct text_values v = { .row = 0, .rows = &rows };
	struct buf out = { 0 };
	struct text t;

	CHECK(compile(&t, place, span_of(source), &rows) == 0);
	text_fill(&t, &v, &out);
	CHECK_BUF(out, expected);
	text_release(&t);
	buf_release(&out);
}

static void
test_escapes(void)
{
	check_escaped(TEXT_URL, "http://h{{row.id}}/{{row.name}}?q="
	    "{{row.name}}#{{raw.id}}", "http://h1/a%20%22x%22?q="
	    "a%20%22x%22#1");
	check_escaped(TEXT_URL, "{{row.name}}/{{row.name}}",
	    "a \"x\"/a%20%22x%22");
	check_escaped(TEXT_URL, "http://h/?{{raw.name}}",
	    "http://h/?a \"x\"");
	check_escaped(TEXT_BODY, "{\"a\\\"\": \"{{row.name}}\", \"b\": "
	    "{{row.name}}}", "{\"a\\\"\": \"a \\\"x\\\"\", \"b\": "
	    "a \"x\"}");
	check_escaped(TEXT_BODY, "{{row.name}}&\"{{row.name}}",
	    "a \"x\"&\"a \"x\"");
	check_escaped(TEXT_HEADER, "X: \"{{row.name}}\"",
	    "X: \"a \"x\"\"");
}

static void
test_files(void)
{
	struct text_range file = { 8, 6 };
	struct text_rules rules = { TEXT_BODY, &rows, &file, 1 };
	struct text_values v = { .row = 0, .rows = &rows };
	struct buf out = { 0 };
	struct text t;

	CHECK(text_compile(&t, SPAN("{{row.id{{vu}}{{row.id}}"), &rules,
	    &why) < 0);
	text_release(&t);
	file = (struct text_range){ 10, 7 };
	CHECK(text_compile(&t, SPAN("{{row.id}}{{vu}} {{row.id}}"), &rules,
	    &why) == 0);
	text_fill(&t, &v, &out);
	CHECK_BUF(out, "1{{vu}} 1");
	text_release(&t);
	buf_reset(&out);
	CHECK(text_compile(&t, SPAN("{{row.id}}:p"), &(struct text_rules){
	    .rows = &rows }, &why) == 0);
	t.is_basic = true;
	text_fill(&t, &v, &out);
	CHECK_BUF(out, "Authorization: Basic MTpw");
	text_release(&t);
	buf_release(&out);
}

static void
test_rand(void)
{
	struct dice dice = { 1 }, again = { 1 };
	int64_t n, lo = 100, hi = -100;
	int i;

	for (i = 0; i < 10000; i++) {
		n = dice_range(&dice, -3, 3);
		CHECK(n == dice_range(&again, -3, 3));
		lo = n < lo ? n : lo;
		hi = n > hi ? n : hi;
	}
	CHECK(lo == -3 && hi == 3);
}

static void
test_refused(void)
{
	static const char *const bad[] = { "{{", "{{vu", "{{}}", "{{VU}}",
		"{{rand}}", "{{rand 5 1}}", "{{rand 1 2 3}}", "{{row.no}}",
		"{{row.}}", "{{ vu x }}" };
	struct text t;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(compile(&t, TEXT_HEADER, span_of(bad[i]), &rows) < 0);
		text_release(&t);
	}
	CHECK(compile(&t, TEXT_HEADER, SPAN("{{row.name}}"), NULL) < 0);
	text_release(&t);
}

static void
write_rows(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	(void)fputs(text, f);
	(void)fclose(f);
}

static void
test_rows(const char *path)
{
	static const char *const bad[] = { "", "a,b\n", "a,b\n1\n",
		"a\n\"x\n", "a\n\"x\"y\n", "a,b\n1,2,3\n" };
	struct rows r = { .n = 0 };
	size_t i;

	write_rows(path, "\xef\xbb\xbfid,name\r\n1,\"a \"\"x\"\"\"\r\n\n"
	    "2,\"b,c\"\n3,\n");
	CHECK(rows_read(&rows, path, &why) == 0);
	CHECK(rows.n == 3 && rows.n_columns == 2);
	CHECK_SPAN(rows_cell(&rows, 0, 1), "a \"x\"");
	CHECK_SPAN(rows_cell(&rows, 1, 1), "b,c");
	CHECK_SPAN(rows_cell(&rows, 2, 1), "");
	CHECK_SPAN(rows_cell(&rows, 2, 0), "3");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_rows(path, bad[i]);
		CHECK(rows_read(&r, path, &why) < 0);
		rows_release(&r);
	}
	CHECK(rows_read(&r, "/nonexistent", &why) < 0);
}

static void
test_csv(void)
{
	char path[] = "/tmp/test_text.XXXXXX";
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	test_rows(path);
	(void)close(fd);
	(void)unlink(path);
}

int
main(void)
{
	test("CSV: quotes, empty cells, blank lines, and what is none",
	    test_csv);
	test("placeholders are filled in", test_fill);
	test("cells are escaped in URLs and in strings of JSON",
	    test_escapes);
	test("what comes of a file is sent as it is; a secret is encoded",
	    test_files);
	test("random numbers keep their range and come again with the seed",
	    test_rand);
	test("what is no placeholder is refused", test_refused);
	rows_release(&rows);
	return tap_end();
}
