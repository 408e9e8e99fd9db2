/* SPDX-License-Identifier: MIT */
#define BUF_FIRST 4
#include "base/buf.c"

#include "random.h"
#include "tap.h"

static void
adds(void)
{
	struct buf b = { 0 };

	buf_text(&b, "ab");
	buf_char(&b, 'c');
	buf_span(&b, SPAN("def"));
	buf_printf(&b, "-%05d", 42);
	buf_add(&b, NULL, 0);
	CHECK_BUF(b, "abcdef-00042");
	CHECK(b.p[b.n] == '\0' && !b.is_full);
	buf_reset(&b);
	CHECK(b.n == 0 && b.p[0] == '\0');
	buf_release(&b);
	CHECK(b.p == NULL && b.n == 0);
	buf_release(&b);
	buf_reset(&b);
}

static void
grows(void)
{
	struct buf b = { 0 };
	char want[5000];
	size_t n = 0, i, length;
	char c;

	while (n < sizeof(want) - 20) {
		length = random_below(20);
		c = (char)('a' + random_below(26));
		for (i = 0; i < length; i++) {
			buf_char(&b, c);
			want[n++] = c;
		}
		CHECK(b.n == n && (n == 0 || b.p[n] == '\0'));
	}
	want[n] = '\0';
	CHECK_BUF(b, want);
	buf_release(&b);
}

static void
maximum(void)
{
	struct buf b = { .max = 5 };

	buf_text(&b, "abc");
	CHECK(!b.is_full);
	buf_text(&b, "def");
	CHECK(b.is_full);
	buf_char(&b, 'x');	/* would fit, but is_full stays */
	buf_printf(&b, "%d", 1);
	CHECK_BUF(b, "abc");
	CHECK(buf_room(&b, 1) == NULL);
	buf_reset(&b);
	buf_text(&b, "12345");
	CHECK(!b.is_full);
	CHECK_BUF(b, "12345");
	buf_release(&b);
	CHECK(b.max == 5);
	CHECK(buf_room(&b, SIZE_MAX) == NULL && b.is_full);
	buf_release(&b);
}

static void
room(void)
{
	struct buf b = { 0 };
	char *to = buf_room(&b, 3);

	memcpy(to, "xyz", 3);
	b.n += 3;
	buf_add(&b, "", 0);
	CHECK_BUF(b, "xyz");
	CHECK(b.p[3] == '\0');
	buf_release(&b);
}

int
main(void)
{
	test("bytes, texts and formats are appended", adds);
	test("growth keeps what was added, NUL behind it", grows);
	test("what passes the maximum is not added, and is told", maximum);
	test("room is for the caller to write in", room);
	return tap_end();
}
