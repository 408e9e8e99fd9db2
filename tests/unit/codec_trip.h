/* SPDX-License-Identifier: MIT */
/* What every codec must do: give back what was packed, in pieces of any size,
 * several members in a row, and tell of damage. */
#ifndef K6PIPE_TESTS_CODEC_TRIP_H
#define K6PIPE_TESTS_CODEC_TRIP_H

#include "base/buf.h"
#include "base/unpack.h"
#include "tap.h"

typedef void codec_pack(struct buf *out, struct span in);

static inline bool
codec_collect(void *ctx, struct span piece)
{
	buf_span(ctx, piece);
	return true;
}

/* Unpack in pieces of so many bytes. 0: whole; 1: cut short; -1: damaged. */
static inline int
codec_unpack(const struct codec *c, struct span in, size_t piece,
    struct buf *out)
{
	void *state = c->open();
	struct why why;
	size_t n;
	int status = 0;

	buf_reset(out);
	while (in.n > 0 && status == 0) {
		n = in.n < piece ? in.n : piece;
		status = c->feed(state, (struct span){ in.p, n },
		    codec_collect, out, &why);
		in.p += n;
		in.n -= n;
	}
	if (status == 0 && !c->is_whole(state))
		status = 1;
	c->close(state);
	return status;
}

static inline void
codec_fill(struct buf *text, int lines)
{
	int i;

	buf_reset(text);
	for (i = 0; i < lines; i++)
		buf_printf(text, "{\"line\":%d,\"hash\":%u}\n", i,
		    (unsigned)i * 2654435761U);
}

static inline void
codec_trips(const struct codec *c, codec_pack *pack)
{
	static const size_t pieces[] = { 1, 7, 4096, 1 << 20 };
	struct buf text = { 0 }, packed = { 0 }, out = { 0 };
	size_t i;

	codec_fill(&text, 30000);
	pack(&packed, buf_whole(&text));
	pack(&packed, SPAN(""));
	pack(&packed, SPAN("the second\n"));
	buf_text(&text, "the second\n");
	CHECK(memcmp(packed.p, c->magic.p, c->magic.n) == 0);
	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		CHECK(codec_unpack(c, buf_whole(&packed), pieces[i], &out) ==
		    0);
		CHECK(span_equal(buf_whole(&out), buf_whole(&text)));
	}
	buf_release(&text);
	buf_release(&packed);
	buf_release(&out);
}

static inline void
codec_damage(const struct codec *c, codec_pack *pack)
{
	struct buf text = { 0 }, packed = { 0 }, out = { 0 };
	size_t n;

	codec_fill(&text, 300);
	pack(&packed, buf_whole(&text));
	for (n = 1; n < packed.n; n += n < 40 ? 1 : 37) {
		CHECK(codec_unpack(c, (struct span){ packed.p, n }, 64,
		    &out) == 1);
		CHECK(out.n <= text.n && (out.n == 0 ||
		    memcmp(out.p, text.p, out.n) == 0));
	}
	packed.p[packed.n / 2] ^= 0x55;
	packed.p[packed.n / 2 + 1] ^= 0x55;
	CHECK(codec_unpack(c, buf_whole(&packed), 64, &out) != 0 ||
	    !span_equal(buf_whole(&out), buf_whole(&text)));
	packed.p[packed.n / 2] ^= 0x55;
	packed.p[packed.n / 2 + 1] ^= 0x55;
	buf_text(&packed, "rubbish behind it");
	CHECK(codec_unpack(c, buf_whole(&packed), 64, &out) == -1);
	CHECK(span_equal(buf_whole(&out), buf_whole(&text)));
	buf_release(&text);
	buf_release(&packed);
	buf_release(&out);
}

#endif
