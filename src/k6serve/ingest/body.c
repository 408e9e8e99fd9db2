/* SPDX-License-Identifier: MIT */
#include "k6serve/ingest/body.h"

#include <string.h>

#include "io/gz.h"

enum {
	WINDOW = 64 * 1024,		/* bytes read at a time */
	SAMPLE_MAX = 1024 * 1024,	/* bytes of one sample */
};

struct intake {
	struct sample_reader reader;
	struct digest *digest;
	struct buf window;		/* what was not read yet */
	size_t total, limit;
	bool is_too_large;
	int status;
	struct why *why;
};

/* Read what the window holds, and keep the rest of it. */
static bool
drain(struct intake *in, bool is_last)
{
	struct buf *w = &in->window;
	size_t used;

	in->status = sample_feed(&in->reader, buf_whole(w), is_last, &used,
	    in->why);
	if (in->status == 0 && used == 0 && w->n > SAMPLE_MAX)
		in->status = why_set(in->why, "a sample of more than %d bytes",
		    SAMPLE_MAX);
	if (in->status != 0)
		return false;
	if (used != 0)
		memmove(w->p, w->p + used, w->n - used);
	w->n -= used;
	return true;
}

static bool
take(void *ctx, struct span piece)
{
	struct intake *in = ctx;

	in->total += piece.n;
	in->is_too_large = in->total > in->limit;
	if (in->is_too_large)
		return false;
	digest_add(in->digest, piece);
	buf_span(&in->window, piece);
	return in->window.n < WINDOW || drain(in, false);
}

static void
unpack(struct intake *in, struct span body)
{
	void *state = gz_codec.open();

	in->limit = gz_limit(body.n, INFLATED_MAX);
	if (state == NULL) {
		in->status = why_set(in->why, "zlib: cannot start to unpack");
		return;
	}
	if (gz_codec.feed(state, body, take, in, in->why) < 0 ||
	    (in->status == 0 && !in->is_too_large &&
	    !gz_codec.is_whole(state) &&
	    why_set(in->why, "the gzip data is cut short") < 0))
		in->status = -1;
	gz_codec.close(state);
	if (in->status == 0 && !in->is_too_large)
		(void)drain(in, true);
}

static void
read_all(struct intake *in, struct span body, bool is_gzip)
{
	size_t used;

	if (is_gzip) {
		unpack(in, body);
	} else {
		digest_add(in->digest, body);
		in->status = sample_feed(&in->reader, body, true, &used,
		    in->why);
	}
}

int
body_read(struct call *c, struct batch *batch,
    unsigned char digest[DIGEST_BYTES])
{
	const char *encoding = httpd_header(c->r, "Content-Encoding");
	bool is_gzip = encoding != NULL && strcasecmp(encoding, "gzip") == 0;
	struct why why;
	struct intake in = { .reader = { .tags = &batch->tags,
	    .each = batch_add, .ctx = batch }, .why = &why };

	if (encoding != NULL && !is_gzip &&
	    strcasecmp(encoding, "identity") != 0) {
		reply_error(c->reply, 415, 0, "Content-Encoding %s is not "
		    "taken, only gzip", encoding);
		return -1;
	}
	in.digest = digest_begin();
	read_all(&in, c->r->body, is_gzip);
	if (digest_end(in.digest, digest) < 0 && in.status == 0)
		in.status = why_set(&why, "libcrypto: no SHA-256");
	buf_release(&in.window);
	if (in.is_too_large)
		reply_error(c->reply, 413, 0, "the gzip data unpacks to more "
		    "than %zu bytes", in.limit);
	else if (in.status != 0)
		reply_error(c->reply, 400, 0, "%s", why.text);
	return in.is_too_large || in.status != 0 ? -1 : 0;
}
