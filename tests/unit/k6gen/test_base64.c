/* SPDX-License-Identifier: MIT */
#include "k6gen/targets/base64.c"

#include "tap.h"

/* RFC 4648 section 10. */
static const struct pair {
	const char *plain, *text;
} pairs[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
	{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" } };

static void
test_both_ways(void)
{
	struct buf out = { 0 };
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		buf_reset(&out);
		base64_encode(span_of(pairs[i].plain), &out);
		CHECK_SPAN(buf_whole(&out), pairs[i].text);
		buf_reset(&out);
		CHECK(base64_decode(span_of(pairs[i].text), &out));
		CHECK_SPAN(buf_whole(&out), pairs[i].plain);
		buf_reset(&out);
		CHECK(base64_decode((struct span){ pairs[i].text,
		    strcspn(pairs[i].text, "=") }, &out));
		CHECK_SPAN(buf_whole(&out), pairs[i].plain);
	}
	buf_release(&out);
}

static void
test_all_bytes(void)
{
	struct buf bytes = { 0 }, text = { 0 }, again = { 0 };
	int i;

	for (i = 0; i < 256; i++)
		buf_char(&bytes, (char)i);
	base64_encode(buf_whole(&bytes), &text);
	CHECK(base64_decode(buf_whole(&text), &again));
	CHECK(span_equal(buf_whole(&bytes), buf_whole(&again)));
	buf_release(&bytes);
	buf_release(&text);
	buf_release(&again);
}

static void
test_bad(void)
{
	static const char *const bad[] = { "Z", "Zg=", "Zg===", "Zm9v=", "=",
		"====", "Zm 9", "Zm9-", "Zh==", "Zm9=", "Z=g=", "plain" };
	struct buf out = { 0 };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!base64_decode(span_of(bad[i]), &out));
	CHECK(!base64_decode((struct span){ "Zm\0v", 4 }, &out));
	buf_release(&out);
}

int
main(void)
{
	test("the examples of RFC 4648, with and without padding",
	    test_both_ways);
	test("all bytes come back", test_all_bytes);
	test("what is no base64 is refused", test_bad);
	return tap_end();
}
