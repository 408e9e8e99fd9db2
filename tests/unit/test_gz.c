/* SPDX-License-Identifier: MIT */
/* links: base/mem base/die base/why base/buf */
/* libs: zlib */
#include "io/gz.c"

#include "random.h"
#include "tap.h"

static struct span
span(const struct buf *b)
{
	return (struct span){ b->p != NULL ? b->p : "", b->n };
}

static void
there_and_back(void)
{
	struct buf plain = { 0 }, packed = { 0 }, back = { 0 };
	struct why why;
	int level;

	while (plain.n < 300000)
		buf_printf(&plain, "%u,", (unsigned)random_below(5000));
	for (level = 1; level <= 9; level += 4) {
		buf_reset(&packed);
		buf_reset(&back);
		CHECK(gz_deflate(span(&plain), level, &packed, &why) == 0);
		CHECK(packed.n < plain.n);
		CHECK(gz_inflate(span(&packed), plain.n, &back, &why) == 0);
		CHECK(span_equal(span(&back), span(&plain)));
		CHECK(back.p[back.n] == '\0');
	}
	buf_release(&plain);
	buf_release(&packed);
	buf_release(&back);
}

static void
appends(void)
{
	struct buf packed = { 0 }, out = { 0 };
	struct why why;

	CHECK(gz_deflate(SPAN("ab"), 1, &packed, &why) == 0);
	CHECK(gz_deflate(SPAN(""), 1, &packed, &why) == 0);
	CHECK(gz_deflate(SPAN("cd"), 9, &packed, &why) == 0);
	buf_text(&out, "x");
	CHECK(gz_inflate(span(&packed), 4, &out, &why) == 0);
	CHECK_BUF(out, "xabcd");
	buf_release(&packed);
	buf_release(&out);
}

static void
refuses(void)
{
	struct buf packed = { 0 }, out = { 0 };
	struct why why;
	size_t n;

	CHECK(gz_deflate(SPAN("hello, hello, hello"), 1, &packed, &why) == 0);
	for (n = 0; n < packed.n; n++)
		CHECK(gz_inflate((struct span){ packed.p, n }, 99, &out,
		    &why) == -1);
	CHECK(gz_inflate(SPAN("this is plain text"), 99, &out, &why) == -1);
	packed.p[packed.n - 6] ^= 1;	/* of the checksum */
	CHECK(gz_inflate(span(&packed), 99, &out, &why) == -1);
	buf_release(&packed);
	buf_release(&out);
}

static void
bounds(void)
{
	struct buf zeros = { 0 }, packed = { 0 }, out = { 0 };
	struct buf narrow = { .max = 10 };
	struct why why;

	memset(buf_room(&zeros, 8 << 20), 0, 8 << 20);
	zeros.n = 8 << 20;
	CHECK(gz_deflate(span(&zeros), 9, &packed, &why) == 0);
	CHECK(gz_inflate(span(&packed), SIZE_MAX, &out, &why) ==
	    GZ_TOO_LARGE);
	CHECK(out.n <= packed.n * 200 + 64 * 1024 + 1);
	buf_reset(&packed);
	buf_reset(&out);
	CHECK(gz_deflate(SPAN("12345"), 1, &packed, &why) == 0);
	CHECK(gz_inflate(span(&packed), 4, &out, &why) == GZ_TOO_LARGE);
	buf_reset(&out);
	CHECK(gz_inflate(span(&packed), 5, &out, &why) == 0);
	CHECK(gz_deflate(SPAN("12345"), 1, &narrow, &why) == -1);
	buf_release(&zeros);
	buf_release(&packed);
	buf_release(&out);
	buf_release(&narrow);
}

int
main(void)
{
	test("what is packed comes back the same", there_and_back);
	test("both ways append, and several members are one", appends);
	test("cut, broken and plain data is refused", refuses);
	test("output has a maximum and a ratio", bounds);
	return tap_end();
}
