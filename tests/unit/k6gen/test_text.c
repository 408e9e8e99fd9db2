/* SPDX-License-Identifier: MIT */
#include "k6gen/targets/text.c"

#include <stdio.h>
#include <unistd.h>

#include "tap.h"

static struct rows rows;
static struct why why;

static struct buf
fill(const char *source, const struct text_values *v)
{
	struct buf out = { 0 };
	struct text t;

	CHECK(text_compile(&t, span_of(source), &rows, &why) == 0);
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
		CHECK(text_compile(&t, span_of(bad[i]), &rows, &why) < 0);
		text_release(&t);
	}
	CHECK(text_compile(&t, SPAN("{{row.name}}"), NULL, &why) < 0);
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

	write_rows(path, "id,name\r\n1,\"a \"\"x\"\"\"\r\n\n2,\"b,c\"\n3,\n");
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
	test("random numbers keep their range and come again with the seed",
	    test_rand);
	test("what is no placeholder is refused", test_refused);
	rows_release(&rows);
	return tap_end();
}
