/* SPDX-License-Identifier: MIT */
#include "io/gz.c"

#include "codec_trip.h"
#include "random.h"
#include "tap.h"

static struct why why;

static struct span
all_of(const struct buf *b)
{
	return (struct span){ b->p, b->n };
}

static void
trips(void)
{
	static const size_t sizes[] = { 0, 1, 100, 65535, 65536, 65537,
		300000 };
	struct buf in = { 0 }, packed = { 0 }, out = { 0 };
	size_t i;
	int level;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (level = 1; level <= 9; level += 4) {
			buf_reset(&in);
			buf_text(&in, "");
			while (in.n < sizes[i])
				buf_char(&in, (char)random_below(256));
			buf_reset(&packed);
			buf_text(&packed, "before ");
			CHECK(gz_deflate(all_of(&in), level, &packed,
			    &why) == 0);
			buf_reset(&out);
			CHECK(gz_inflate((struct span){ packed.p + 7,
			    packed.n - 7 }, sizes[i], &out, &why) == 0);
			CHECK(span_equal(all_of(&out), all_of(&in)));
			CHECK(packed.p[packed.n] == '\0');
		}
	buf_release(&in);
	buf_release(&packed);
	buf_release(&out);
}

static void
members(void)
{
	struct buf packed = { 0 }, out = { 0 };

	CHECK(gz_deflate(SPAN("one "), 1, &packed, &why) == 0);
	CHECK(gz_deflate(SPAN(""), 1, &packed, &why) == 0);
	CHECK(gz_deflate(SPAN("two"), 9, &packed, &why) == 0);
	CHECK(gz_inflate(all_of(&packed), 100, &out, &why) == 0);
	CHECK_BUF(out, "one two");
	buf_release(&packed);
	buf_release(&out);
}

static void
bounded(void)
{
	struct buf in = { 0 }, packed = { 0 }, out = { 0 };
	size_t i;

	while (in.n < 100000) {
		buf_char(&in, (char)('0' + random_below(10)));
		buf_text(&in, "{} ");
	}
	CHECK(gz_deflate(all_of(&in), 1, &packed, &why) == 0);
	CHECK(gz_inflate(all_of(&packed), 100000, &out, &why) == 0);
	for (i = 0; i < 3; i++) {
		buf_reset(&out);
		CHECK(gz_inflate(all_of(&packed), 99999 - i * 49999, &out,
		    &why) == GZ_TOO_LARGE);
		CHECK(out.n <= 99999 - i * 49999);
	}
	/* a bomb: 1000 times its size, within max_out */
	buf_reset(&packed);
	buf_reset(&in);
	for (i = 0; i < 3000000; i++)
		buf_text(&in, "{}");
	CHECK(gz_deflate(all_of(&in), 9, &packed, &why) == 0);
	buf_reset(&out);
	CHECK(gz_inflate(all_of(&packed), gz_limit(packed.n, SIZE_MAX), &out,
	    &why) == GZ_TOO_LARGE);
	CHECK(out.n <= packed.n * RATIO_MAX + SMALL);
	/* a buffer with a maximum of its own */
	buf_release(&out);
	out.max = 1000;
	CHECK(gz_inflate(all_of(&packed), SIZE_MAX, &out, &why) != 0);
	CHECK(out.n <= 1000);
	buf_release(&out);
	for (i = 1; i <= 9; i += 8) {
		buf_reset(&out);
		while (in.n < 100000)
			buf_char(&in, (char)random_below(256));
		CHECK(gz_deflate(all_of(&in), (int)i, &out, &why) == -1);
		CHECK(out.n <= 1000);
	}
	buf_release(&in);
	buf_release(&packed);
	buf_release(&out);
}

static void
refuses(void)
{
	struct buf packed = { 0 }, out = { 0 };
	size_t i;

	CHECK(gz_deflate(SPAN("some text to pack"), 6, &packed, &why) == 0);
	for (i = 0; i < packed.n; i++) {
		buf_reset(&out);
		CHECK(gz_inflate((struct span){ packed.p, i }, 1000, &out,
		    &why) == -1);
	}
	buf_reset(&out);
	buf_text(&packed, "x");		/* behind the stream */
	CHECK(gz_inflate(all_of(&packed), 1000, &out, &why) == -1);
	packed.n--;
	packed.p[packed.n - 5] ^= 1;	/* the checksum */
	CHECK(gz_inflate(all_of(&packed), 1000, &out, &why) == -1);
	CHECK(gz_inflate(SPAN("{\"type\":\"Point\"}"), 1000, &out, &why) ==
	    -1);
	buf_release(&packed);
	buf_release(&out);
}

static void
pack(struct buf *out, struct span in)
{
	CHECK(gz_deflate(in, 6, out, &why) == 0);
}

static void
stream_trips(void)
{
	codec_trips(&gz_codec, pack);
}

static void
stream_damage(void)
{
	codec_damage(&gz_codec, pack);
}

int
main(void)
{
	test("what is packed unpacks to the same", trips);
	test("several members follow one another", members);
	test("output stays within each bound", bounded);
	test("what is cut, changed or no gzip is refused", refuses);
	test("a stream is unpacked as it comes, cut anywhere", stream_trips);
	test("a stream's damage is told, and its end", stream_damage);
	return tap_end();
}
