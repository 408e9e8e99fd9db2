/* SPDX-License-Identifier: MIT */
/* Unpacks and reads bodies, a window at a time. */
#include "k6serve/ingest/body.h"

#include <string.h>

#include "io/gz.h"

enum {
	WINDOW = 64 * 1024,		/* bytes read at a time */
	SAMPLE_MAX = 1024 * 1024,	/* bytes of one sample */
};

struct body_reader {
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
read_window(struct body_reader *r, bool is_last)
{
	struct buf *w = &r->window;
	size_t used;

	r->status = sample_feed(&r->reader, buf_whole(w), is_last, &used,
	    r->why);
	if (r->status == 0 && used == 0 && w->n > SAMPLE_MAX)
		r->status = why_set(r->why, "a sample of more than %d bytes",
		    SAMPLE_MAX);
	if (r->status != 0)
		return false;
	if (used != 0)
		memmove(w->p, w->p + used, w->n - used);
	w->n -= used;
	return true;
}

/* For gz_codec: what came out of the body so far goes on to be read. */
static bool
add_piece(void *ctx, struct span piece)
{
	struct body_reader *r = ctx;

	r->total += piece.n;
	r->is_too_large = r->total > r->limit;
	if (r->is_too_large)
		return false;
	digest_add(r->digest, piece);
	buf_span(&r->window, piece);
	return r->window.n < WINDOW || read_window(r, false);
}

static void
unpack(struct body_reader *r, struct span body)
{
	void *state = gz_codec.open();

	r->limit = gz_limit(body.n, INFLATED_MAX);
	if (state == NULL) {
		r->status = why_set(r->why, "zlib: cannot start to unpack");
		return;
	}
	if (gz_codec.feed(state, body, add_piece, r, r->why) < 0 ||
	    (r->status == 0 && !r->is_too_large &&
	    !gz_codec.is_whole(state) &&
	    why_set(r->why, "the gzip data is cut short") < 0))
		r->status = -1;
	gz_codec.close(state);
	if (r->status == 0 && !r->is_too_large)
		(void)read_window(r, true);
}

static void
read_all(struct body_reader *r, struct span body, bool is_gzip)
{
	size_t used;

	if (is_gzip) {
		unpack(r, body);
	} else {
		digest_add(r->digest, body);
		r->status = sample_feed(&r->reader, body, true, &used,
		    r->why);
	}
}

int
body_is_coded(struct call *c, const char *encoding)
{
	const char *text = httpd_header(c->r, "Content-Encoding");

	if (text == NULL || strcasecmp(text, "identity") == 0)
		return 0;
	if (strcasecmp(text, encoding) == 0)
		return 1;
	reply_error(c->reply, 415, 0, "Content-Encoding %s is not supported "
	    "here, only %s", text, encoding);
	return -1;
}

int
body_read(struct call *c, struct batch *batch,
    unsigned char digest[DIGEST_BYTES])
{
	int is_gzip = body_is_coded(c, "gzip");
	struct why why;
	struct body_reader r = { .reader = { .tags = &batch->tags,
	    .each = batch_add, .ctx = batch }, .why = &why };

	if (is_gzip < 0)
		return -1;
	r.digest = digest_begin();
	read_all(&r, c->r->body, is_gzip > 0);
	if (digest_end(r.digest, digest) < 0 && r.status == 0)
		r.status = why_set(&why, "libcrypto: no SHA-256");
	buf_release(&r.window);
	if (r.is_too_large)
		reply_error(c->reply, 413, 0, "the gzip data unpacks to more "
		    "than %zu bytes", r.limit);
	else if (r.status != 0)
		reply_error(c->reply, 400, 0, "%s", why.text);
	return r.is_too_large || r.status != 0 ? -1 : 0;
}
