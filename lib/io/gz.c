/* SPDX-License-Identifier: MIT */
/*
 * gzip by zlib: a body packed or unpacked whole, and a reader of streams. What
 * is to be fast is packed by ISA-L where k6pipe is built with it.
 */
#include "io/gz.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>
#ifdef K6PIPE_ISAL
#include <isa-l/igzip_lib.h>
#endif

enum {
	WINDOW_GZIP = 15 + 16,	/* zlib: the largest window, gzip framing */
	MEMORY = 8,		/* zlib's default */
	CHUNK = 64 * 1024,
	ISAL_PIECE = 1 << 30,
	RATIO_MAX = 200,	/* NDJSON of load tests stays below 60 */
	SMALL = 2 * 1024 * 1024, /* never a bomb: the longest line fits */
};

#define TOO_LARGE "the compressed data is too large"

static unsigned
at_most(size_t n, size_t max)
{
	return (unsigned)(n < max ? n : max);
}

/* Take the next piece of input and make room for output. -1: out is full. */
static int
step(z_stream *z, struct span *in, struct buf *out, size_t room)
{
	char *to = buf_room(out, room);

	if (to == NULL)
		return -1;
	if (z->avail_in == 0) {
		z->next_in = (z_const Bytef *)(uintptr_t)in->p;
		z->avail_in = at_most(in->n, UINT_MAX);
		in->p += z->avail_in;
		in->n -= z->avail_in;
	}
	z->next_out = (Bytef *)to;
	z->avail_out = (unsigned)room;
	return 0;
}

#ifdef K6PIPE_ISAL
/* Pack what is left of in. -1: out is full, or it does not go on. */
static int
isal_pack(struct isal_zstream *z, struct span in, struct buf *out)
{
	char *to;

	while (z->internal_state.state != ZSTATE_END) {
		if (z->avail_in == 0) {
			z->next_in = (uint8_t *)(uintptr_t)in.p;
			z->avail_in = at_most(in.n, ISAL_PIECE);
			in.p += z->avail_in;
			in.n -= z->avail_in;
			z->end_of_stream = in.n == 0;
		}
		to = buf_room(out, CHUNK);
		if (to == NULL)
			return -1;
		z->next_out = (uint8_t *)to;
		z->avail_out = CHUNK;
		if (isal_deflate(z) != COMP_OK)
			return -1;
		out->n += CHUNK - z->avail_out;
	}
	return 0;
}

static int
deflate_fast(struct span in, struct buf *out, struct why *why)
{
	struct isal_zstream *z = xmalloc(sizeof(*z));
	int status;

	isal_deflate_init(z);
	z->gzip_flag = IGZIP_GZIP;
	z->level = 1;
	z->level_buf_size = ISAL_DEF_LVL1_DEFAULT;
	z->level_buf = xmalloc(z->level_buf_size);
	z->avail_in = 0;
	status = isal_pack(z, in, out);
	free(z->level_buf);
	free(z);
	return status == 0 ? 0 : why_set(why, TOO_LARGE);
}
#endif

static int
deflate_zlib(struct span in, int level, struct buf *out, struct why *why)
{
	z_stream z = { 0 };
	int status = Z_OK;

	if (deflateInit2(&z, level, Z_DEFLATED, WINDOW_GZIP, MEMORY,
	    Z_DEFAULT_STRATEGY) != Z_OK)
		return why_set(why, "zlib: cannot start to compress");
	while (status == Z_OK) {
		if (step(&z, &in, out, CHUNK) < 0)
			break;
		status = deflate(&z, in.n == 0 ? Z_FINISH : Z_NO_FLUSH);
		out->n += CHUNK - z.avail_out;
		if (status == Z_BUF_ERROR)
			status = Z_OK;
	}
	(void)deflateEnd(&z);
	return status == Z_STREAM_END ? 0 : why_set(why, TOO_LARGE);
}

int
gz_deflate(struct span in, int level, struct buf *out, struct why *why)
{
	int status;

#ifdef K6PIPE_ISAL
	if (level == 1)
		status = deflate_fast(in, out, why);
	else
#endif
		status = deflate_zlib(in, level, out, why);
	buf_add(out, "", 0);
	return status;
}

size_t
gz_limit(size_t n, size_t max_out)
{
	size_t limit = n < (SIZE_MAX - SMALL) / RATIO_MAX
	    ? n * RATIO_MAX + SMALL : SIZE_MAX;

	return limit < max_out ? limit : max_out;
}

/* Inflate until the input is used up at the end of a member. */
static int
inflate_all(z_stream *z, struct span in, size_t limit, struct buf *out,
    struct why *why)
{
	size_t done = 0, room;
	int status;

	for (;;) {
		/* one byte past the limit tells that there is more */
		room = at_most(limit - done + 1, CHUNK);
		if (step(z, &in, out, room) < 0)
			break;
		status = inflate(z, Z_NO_FLUSH);
		out->n += room - z->avail_out;
		done += room - z->avail_out;
		if (done > limit) {
			out->n -= done - limit;
			break;
		}
		if (status == Z_STREAM_END) {
			if (z->avail_in == 0 && in.n == 0)
				return 0;
			status = inflateReset(z);
		} else if (status == Z_BUF_ERROR ||
		    (z->avail_in == 0 && in.n == 0 && z->avail_out != 0)) {
			return why_set(why, "the gzip data is cut short");
		}
		if (status != Z_OK)
			return why_set(why, "not gzip data%s%s",
			    z->msg != NULL ? ": " : "",
			    z->msg != NULL ? z->msg : "");
	}
	(void)why_set(why, "the gzip data unpacks to more than %zu bytes",
	    limit);
	return GZ_TOO_LARGE;
}

int
gz_inflate(struct span in, size_t max_out, struct buf *out, struct why *why)
{
	z_stream z = { 0 };
	int status;

	if (inflateInit2(&z, WINDOW_GZIP) != Z_OK)
		return why_set(why, "zlib: cannot start to unpack");
	status = inflate_all(&z, in, max_out, out, why);
	(void)inflateEnd(&z);
	buf_add(out, "", 0);
	return status;
}

/* A stream that is unpacked as it comes. */
struct reader {
	z_stream z;
	bool is_between;	/* members; at the start there must be one */
	bool has_begun;
	char out[CHUNK];
};

static void *
reader_open(void)
{
	struct reader *r = xcalloc(1, sizeof(*r));

	if (inflateInit2(&r->z, WINDOW_GZIP) == Z_OK)
		return r;
	free(r);
	return NULL;
}

static int
reader_feed(void *state, struct span in, unpack_put *put, void *ctx,
    struct why *why)
{
	struct reader *r = state;
	int status = Z_OK;

	r->z.next_in = (z_const Bytef *)(uintptr_t)in.p;
	r->z.avail_in = at_most(in.n, UINT_MAX);
	do {
		if (r->is_between && r->z.avail_in > 0) {
			status = inflateReset(&r->z);
			r->is_between = false;
		}
		r->has_begun = true;
		r->z.next_out = (Bytef *)r->out;
		r->z.avail_out = sizeof(r->out);
		if (status == Z_OK)
			status = inflate(&r->z, Z_NO_FLUSH);
		if (!put(ctx, (struct span){ r->out,
		    sizeof(r->out) - r->z.avail_out }))
			return 0;
		r->is_between = status == Z_STREAM_END;
		if (r->is_between || status == Z_BUF_ERROR)
			status = Z_OK;
		if (status != Z_OK)
			return why_set(why, "the gzip data is damaged%s%s",
			    r->z.msg != NULL ? ": " : "",
			    r->z.msg != NULL ? r->z.msg : "");
	} while (r->z.avail_in > 0 || r->z.avail_out == 0);
	return 0;
}

static bool
reader_is_whole(const void *state)
{
	const struct reader *r = state;

	return r->is_between || !r->has_begun;
}

static void
reader_close(void *state)
{
	struct reader *r = state;

	(void)inflateEnd(&r->z);
	free(r);
}

const struct codec gz_codec = { "gzip", { "\x1f\x8b", 2 }, reader_open,
    reader_feed, reader_is_whole, reader_close };
