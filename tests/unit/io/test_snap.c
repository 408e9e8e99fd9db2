/* SPDX-License-Identifier: MIT */
#include "io/snap.c"

#include <stdlib.h>

#include "random.h"
#include "tap.h"

static struct why why;

static void
test_trips(void)
{
	static const size_t sizes[] = { 0, 1, 60, 65535, 65536, 300000 };
	struct buf in = { 0 }, packed = { 0 }, out = { 0 };
	size_t i, mask;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (mask = 1; mask < 256; mask = mask * 4 + 3) {
			buf_reset(&in);
			while (in.n < sizes[i])
				buf_char(&in, (char)(random_below(256) & mask));
			buf_reset(&packed);
			buf_text(&packed, "before ");
			snap_pack(buf_whole(&in), &packed);
			buf_reset(&out);
			CHECK(snap_unpack((struct span){ packed.p + 7,
			    packed.n - 7 }, sizes[i], &out, &why) == 0);
			CHECK(span_equal(buf_whole(&out), buf_whole(&in)));
			CHECK(out.p[out.n] == '\0');
		}
	buf_release(&in);
	buf_release(&packed);
	buf_release(&out);
}

static void
test_best_ratio(void)
{
	struct buf packed = { 0 }, out = { 0 };
	size_t n = 10 << 20;
	char *zeros = xcalloc(1, n);

	snap_pack((struct span){ zeros, n }, &packed);
	CHECK(snap_unpack(buf_whole(&packed), n, &out, &why) == 0);
	CHECK(out.n == n && memcmp(out.p, zeros, n) == 0);
	free(zeros);
	buf_release(&packed);
	buf_release(&out);
}

/* PROTOCOL 5.5: a literal of 75 bytes. */
static void
test_known_block(void)
{
	struct buf block = { 0 }, out = { 0 };
	int i;

	buf_add(&block, "\x4b\xf0\x4a", 3);
	for (i = 0; i < 75; i++)
		buf_char(&block, (char)i);
	CHECK(snap_unpack(buf_whole(&block), 75, &out, &why) == 0);
	CHECK(out.n == 75 && memcmp(out.p, block.p + 3, 75) == 0);
	buf_release(&block);
	buf_release(&out);
}

static void
test_each_cut(void)
{
	struct buf packed = { 0 }, out = { 0 };
	char *copy;
	size_t cut;

	snap_pack(SPAN("a rose is a rose is a rose is a rose is a rose"),
	    &packed);
	for (cut = 0; cut < packed.n; cut++) {
		copy = xmalloc(cut);
		memcpy(copy, packed.p, cut);
		buf_reset(&out);
		CHECK(snap_unpack((struct span){ copy, cut }, 1000, &out,
		    &why) == -1);
		CHECK(out.n == 0);
		free(copy);
	}
	buf_release(&packed);
	buf_release(&out);
}

/* What a length claims is believed only as far as the bytes could hold it;
 * nothing is allocated for more. */
static void
test_claims(void)
{
	struct buf out = { 0 };

	CHECK(snap_unpack(SPAN("\xff\xff\xff\xff\x0f" "abc"), SIZE_MAX, &out,
	    &why) == -1);
	CHECK(strstr(why.text, "so few cannot hold") != NULL);
	CHECK(snap_unpack(SPAN("\x80\x80\x04" "abc"), 65535, &out, &why) ==
	    SNAP_TOO_LARGE);
	CHECK(out.cap == 0);
	CHECK(snap_unpack(SPAN("\xff\xff\xff\xff\xff\xff\x0f" "a"), 1000,
	    &out, &why) == -1);
	CHECK(snap_unpack(SPAN("\xff\x06\x00\x00sNaPpY"), 1 << 20, &out,
	    &why) == -1);	/* the framing format */
	buf_release(&out);
}

int
main(void)
{
	test("what is packed comes back, random or repetitive", test_trips);
	test("the best that snappy can pack is taken", test_best_ratio);
	test("a block of literals alone is read", test_known_block);
	test("a block cut anywhere is refused, and adds nothing",
	    test_each_cut);
	test("a length is checked before memory is taken", test_claims);
	return tap_end();
}
