/* SPDX-License-Identifier: MIT */
#include "io/zst.c"

#include "codec_trip.h"

static void
pack(struct buf *out, struct span in)
{
	size_t room = ZSTD_compressBound(in.n);

	out->n += ZSTD_compress(buf_room(out, room), room, in.p, in.n, 3);
}

static void
trips(void)
{
	codec_trips(&zst_codec, pack);
}

static void
damage(void)
{
	codec_damage(&zst_codec, pack);
}

int
main(void)
{
	test("frames come out as they went in, cut anywhere", trips);
	test("damage and a cut are told, and never more than was put", damage);
	return tap_end();
}
