/* SPDX-License-Identifier: MIT */
/* Streams packed by zstd, read by libzstd. */
#include "io/zst.h"

#include <stdlib.h>
#include <zstd.h>

enum { CHUNK = 128 * 1024 };	/* a whole block of the format */

struct reader {
	ZSTD_DStream *zstd;
	size_t left;		/* 0: at the end of a frame */
	char out[CHUNK];
};

static void *
reader_open(void)
{
	struct reader *r = xcalloc(1, sizeof(*r));

	r->zstd = ZSTD_createDStream();
	if (r->zstd != NULL)
		return r;
	free(r);
	return NULL;
}

static int
reader_feed(void *state, struct span in, unpack_put *put, void *ctx,
    struct why *why)
{
	struct reader *r = state;
	ZSTD_inBuffer from = { in.p, in.n, 0 };
	ZSTD_outBuffer to = { r->out, sizeof(r->out), 0 };

	do {
		to.pos = 0;
		r->left = ZSTD_decompressStream(r->zstd, &to, &from);
		if (!put(ctx, (struct span){ r->out, to.pos }))
			return 0;
		if (ZSTD_isError(r->left))
			return why_set(why, "the zstd data is damaged: %s",
			    ZSTD_getErrorName(r->left));
	} while (from.pos < from.size || to.pos == to.size);
	return 0;
}

static bool
reader_is_whole(const void *state)
{
	return ((const struct reader *)state)->left == 0;
}

static void
reader_close(void *state)
{
	struct reader *r = state;

	(void)ZSTD_freeDStream(r->zstd);
	free(r);
}

const struct codec zst_codec = { "zstd", { "\x28\xb5\x2f\xfd", 4 },
    reader_open, reader_feed, reader_is_whole, reader_close };
