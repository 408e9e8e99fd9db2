/* SPDX-License-Identifier: MIT */
#include "data/jsn.c"

#include <math.h>
#include <stdlib.h>

#include "random.h"
#include "tap.h"

/* True if the whole text is one JSON value; it stands in memory of exactly
 * its size, so that a look past it is found. */
static bool
is_json(const char *text, size_t n)
{
	char *copy = xmalloc(n + 1);
	struct jsn j;
	bool is_good;

	memcpy(copy + 1, text, n);
	j = jsn_of((struct span){ copy + 1, n });
	is_good = jsn_skip(&j) && jsn_done(&j);
	free(copy);
	return is_good;
}

static void
accepts(void)
{
	static const char *const rows[] = { "{}", "[]", "0", "-0", "\"\"",
		"true", "false", "null", " \t\r\n[ ] ", "[1,2,[3,{}]]",
		"{\"a\":1,\"a\":2}", "{\"\":null}", "\"\\u0000\"",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"", "\"\x7f\"",
		"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
		"\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\"",
		"\"\\ud83d\\ude00\"", "\"\\ud800\"", "\"\\udc00x\"",
		"[1e2,1E+2,1e-2,-1.5]", "{\"a\" : [ 1 , 2 ] }" };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!is_json(rows[i], strlen(rows[i])))
			CHECK_TEXT(rows[i], "accepted");
	CHECK(true);
}

static void
rejects(void)
{
	static const char *const rows[] = { "", " ", "{", "[", "}", "]",
		"{]", "[}", "[1,]", "[,1]", "[1 2]", "[1,,2]", "[1]]", "1 2",
		"{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{1:1}",
		"{\"a\" 1}", "{\"a\":1 \"b\":2}", "{'a':1}", "[01]", "[+1]",
		"[.5]", "[1.]", "[1e]", "[-]", "[NaN]", "[Infinity]",
		"[1e999]", "tru", "True", "nul", "nullx", "[truefalse]",
		"\"", "\"abc", "\"\\\"", "\"\\x\"", "\"\\u12\"",
		"\"\\u12g4\"", "\"\\u\"", "\"\\", "\"a\tb\"", "\"a\nb\"",
		"\"\x1f\"", "\"\xff\"", "\"\xc0\xaf\"", "\"\xe0\x80\x80\"",
		"\"\xf0\x80\x80\x80\"", "\"\xed\xa0\x80\"", "\"\xc3\"",
		"\"\xe2\x82\"", "\"\xf4\x90\x80\x80\"", "\"\x92\"",
		"\xef\xbb\xbf{}", "[1]//x", "/**/1", "\f1", "\xc2\xa0[]" };
	struct jsn j;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (is_json(rows[i], strlen(rows[i])))
			CHECK_TEXT(rows[i], "rejected");
	j = jsn_of((struct span){ NULL, 0 });
	CHECK(!jsn_skip(&j) && jsn_column(&j) == 1);
	CHECK(!is_json("1\0", 2));
	CHECK(!is_json("\0", 1));
	CHECK(!is_json("\"a\0b\"", 5));
	CHECK(!is_json("[1\0]", 4));
	CHECK(!is_json("\"\\\0\"", 4));
}

static void
depth(void)
{
	char text[2 * (JSN_DEPTH + 1)], *deep;
	size_t n = JSN_DEPTH;

	memset(text, '[', n);
	memset(text + n, ']', n);
	CHECK(is_json(text, 2 * n));
	n++;
	memset(text, '[', n);
	memset(text + n, ']', n);
	CHECK(!is_json(text, 2 * n));
	deep = xmalloc(250001);
	memset(deep, '[', 100000);
	CHECK(!is_json(deep, 100000));
	for (n = 0; n + 6 <= 250000; n += 6)
		memcpy(deep + n, "{\"\":[[", 6);
	CHECK(!is_json(deep, n));
	free(deep);
}

static void
siblings(void)
{
	struct buf b = { 0 };
	int i;

	buf_char(&b, '[');
	for (i = 0; i < 200; i++)
		buf_text(&b, "[[]],{\"a\":{}},");
	buf_text(&b, "0]");
	CHECK(is_json(b.p, b.n));
	buf_release(&b);
}

static void
walks(void)
{
	struct jsn copy, j = jsn_of(SPAN(" {\"a\": [1, -2.5] ,"
	    "\"b\\n\":\"x\\ty\",\"c\":{\"d\":null}} "));
	struct span key, value;
	double d;

	CHECK(jsn_peek(&j) == '{' && jsn_enter(&j, '{'));
	CHECK(jsn_member(&j, &key) && span_is(key, "a"));
	CHECK(jsn_enter(&j, '[') && jsn_element(&j));
	CHECK(jsn_number(&j, &d) && d == 1 && jsn_element(&j));
	CHECK(jsn_number(&j, &d) && d == -2.5);
	CHECK(!jsn_element(&j) && j.error == NULL);
	copy = j;
	CHECK(jsn_plain_member(&copy, &key) && span_is(key, "b\n"));
	CHECK(jsn_member(&j, &key) && span_is(key, "b\\n"));
	CHECK(jsn_same(key, "b\n") && !jsn_same(key, "bn"));
	CHECK(jsn_text(&j, &value) && span_is(value, "x\\ty"));
	CHECK(jsn_member(&j, &key) && jsn_value(&j, &value));
	CHECK_SPAN(value, "{\"d\":null}");
	CHECK(!jsn_member(&j, &key) && jsn_done(&j));
	CHECK(jsn_peek(&j) == '\0');
}

static void
sticky(void)
{
	struct jsn j = jsn_of(SPAN("{\"a\":tru,\"b\":1}"));
	struct span key;
	const char *error;
	double d;

	CHECK(jsn_enter(&j, '{') && jsn_member(&j, &key));
	CHECK(!jsn_skip(&j) && j.error != NULL);
	error = j.error;
	CHECK(jsn_column(&j) == 6);
	CHECK(!jsn_member(&j, &key) && !jsn_element(&j));
	CHECK(!jsn_number(&j, &d) && !jsn_text(&j, &key));
	CHECK(!jsn_enter(&j, '{') && !jsn_skip(&j) && !jsn_done(&j));
	CHECK(jsn_peek(&j) == '\0' && j.error == error);
}

static void
unescaped(const char *raw, const char *want)
{
	struct buf b = { 0 };

	buf_text(&b, "");
	jsn_unescape(&b, span_of(raw));
	CHECK_BUF(b, want);
	CHECK(jsn_same(span_of(raw), want));
	buf_release(&b);
}

static void
unescapes(void)
{
	struct buf b = { 0 };

	unescaped("", "");
	unescaped("plain", "plain");
	unescaped("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t");
	unescaped("\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac");
	unescaped("\\ud83d\\ude00!", "\xf0\x9f\x98\x80!");
	unescaped("\\ud800", "\xef\xbf\xbd");
	unescaped("\\udc00\\ud800", "\xef\xbf\xbd\xef\xbf\xbd");
	unescaped("\\ud83dx", "\xef\xbf\xbdx");
	unescaped("\\ud83d\\u0041", "\xef\xbf\xbd" "A");
	unescaped("\\ud83d\\n\\u0041bcde", "\xef\xbf\xbd\nAbcde");
	jsn_unescape(&b, SPAN("a\\u0000b"));
	CHECK(b.n == 3 && memcmp(b.p, "a\0b", 3) == 0);
	CHECK(!jsn_same(SPAN("a\\u0000b"), "a"));
	buf_release(&b);
}

static void
escaped(struct span text, const char *want)
{
	struct buf b = { 0 };

	buf_text(&b, "");
	jsn_escape(&b, text);
	CHECK_BUF(b, want);
	buf_release(&b);
}

/* PROTOCOL 1.5, strings of encoder A. */
static void
escapes(void)
{
	escaped(SPAN(""), "");
	escaped(SPAN("<a>&'/\x7f"), "<a>&'/\x7f");
	escaped(SPAN("\"\\\n\r\t"), "\\\"\\\\\\n\\r\\t");
	escaped(SPAN("\0\1\x1f"), "\\u0000\\u0001\\u001f");
	escaped(SPAN("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa"),
	    "\\u2028\\u2029\xe2\x80\xaa");
	escaped(SPAN("\xc3\xa9\xf0\x9f\x98\x80"), "\xc3\xa9\xf0\x9f\x98\x80");
	escaped(SPAN("a\xff" "b\xc3"), "a\\ufffdb\\ufffd");
	escaped(SPAN("\xed\xa0\x80"), "\\ufffd\\ufffd\\ufffd");
}

static void
escape_trip(void)
{
	struct buf json = { 0 }, plain = { 0 };
	char text[40];
	size_t i, k, n, n_bad = 0;
	unsigned cp;

	for (i = 0; i < 50000; i++) {
		buf_reset(&plain);
		for (k = random_below(8); k > 0; k--) {
			cp = (unsigned)random_below(random_below(2) ? 0x80
			    : 0x110000);
			if (cp < 0xd800 || cp >= 0xe000)
				put_utf8(&plain, cp);
		}
		n = plain.n;
		if (n != 0)
			memcpy(text, plain.p, n);
		buf_reset(&json);
		buf_char(&json, '"');
		jsn_escape(&json, (struct span){ text, n });
		buf_char(&json, '"');
		buf_reset(&plain);
		jsn_unescape(&plain, (struct span){ json.p + 1,
		    json.n - 2 });
		n_bad += !is_json(json.p, json.n) || plain.n != n ||
		    (n != 0 && memcmp(plain.p, text, n) != 0);
	}
	CHECK(n_bad == 0);
	buf_release(&json);
	buf_release(&plain);
}

static void
writes(void)
{
	struct buf b = { 0 };
	struct jsn_out o = { .to = &b };

	jsn_open(&o, '{');
	jsn_key(&o, "a\"b");
	jsn_put_text(&o, SPAN("x"));
	jsn_key(&o, "list");
	jsn_open(&o, '[');
	jsn_put_int(&o, INT64_MIN);
	jsn_put_number(&o, 1e-7);
	jsn_put_number(&o, (double)NAN);
	jsn_put_number(&o, -(double)INFINITY);
	jsn_put_ms(&o, 123000);
	jsn_open(&o, '[');
	jsn_close(&o, ']');
	jsn_close(&o, ']');
	jsn_key(&o, "yes");
	jsn_put_bool(&o, true);
	jsn_key(&o, "raw");
	jsn_put_raw(&o, SPAN("{}"));
	jsn_close(&o, '}');
	CHECK_BUF(b, "{\"a\\\"b\":\"x\",\"list\":[-9223372036854775808,"
	    "1e-7,null,null,0.123,[]],\"yes\":true,\"raw\":{}}");
	CHECK(is_json(b.p, b.n));
	buf_release(&b);
}

static void
texts(void)
{
	struct jsn j = jsn_of(SPAN("[1,\"a\",[\"x\"],null,\"b\",{}] "));
	struct span raw;

	CHECK(jsn_enter(&j, '['));
	CHECK(jsn_element_text(&j, &raw));
	CHECK_SPAN(raw, "a");
	CHECK(jsn_element_text(&j, &raw));
	CHECK_SPAN(raw, "b");
	CHECK(!jsn_element_text(&j, &raw) && jsn_done(&j));
	j = jsn_of(SPAN("[tru,\"a\"]"));
	CHECK(jsn_enter(&j, '[') && !jsn_element_text(&j, &raw));
	CHECK(j.error != NULL);
}

static void
times(void)
{
	struct buf b = { 0 };
	struct jsn_out o = { .to = &b };

	jsn_open(&o, '{');
	jsn_member_time(&o, "a", INT64_C(1700000000500000000));
	jsn_member_time(&o, "b", 0);
	jsn_member_time_or_null(&o, "c", -1);
	jsn_member_time_or_null(&o, "d", 0);
	jsn_close(&o, '}');
	CHECK_BUF(b, "{\"a\":\"2023-11-14T22:13:20.5Z\","
	    "\"b\":\"1970-01-01T00:00:00Z\","
	    "\"c\":\"1969-12-31T23:59:59.999999999Z\",\"d\":null}");
	buf_release(&b);
}

/* Eight bytes are looked at in one go. */
static void
escapes_anywhere(void)
{
	struct buf one = { 0 }, out = { 0 };
	char text[24], c;
	size_t at, n;
	int i;

	for (i = 0; i < 256; i++) {
		c = (char)i;
		buf_reset(&one);
		jsn_escape(&one, (struct span){ &c, 1 });
		for (at = 0; at < sizeof(text); at++) {
			memset(text, 'a', sizeof(text));
			text[at] = c;
			buf_reset(&out);
			jsn_escape(&out, (struct span){ text, sizeof(text) });
			n = sizeof(text) - 1 - at;
			CHECK(out.n == at + one.n + n &&
			    memcmp(out.p, text, at) == 0 &&
			    memcmp(out.p + at, one.p, one.n) == 0 &&
			    memcmp(out.p + at + one.n, text + at + 1, n) == 0);
		}
	}
	buf_release(&one);
	buf_release(&out);
}

int
main(void)
{
	test("each byte is escaped alike wherever it stands",
	    escapes_anywhere);
	test("what RFC 8259 allows is accepted", accepts);
	test("what RFC 8259 does not allow is rejected", rejects);
	test("64 levels are taken, 65 are not", depth);
	test("siblings do not count as depth", siblings);
	test("a cursor walks objects, arrays and values", walks);
	test("after an error the cursor stays where it is", sticky);
	test("escapes are undone, lone surrogates become U+FFFD", unescapes);
	test("texts are escaped as k6 escapes them", escapes);
	test("any text comes back from its JSON", escape_trip);
	test("the writer sets commas and colons", writes);
	test("the strings of an array, whatever stands between", texts);
	test("a time of 0 is 1970, or null where it stands for none", times);
	return tap_end();
}
