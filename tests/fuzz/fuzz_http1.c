/* SPDX-License-Identifier: MIT */
/* links: k6gen.a */
/* Any bytes as an answer of HTTP/1.1: whole or cut anywhere they come to the
 * same, and all memory comes back. The first byte says how they are cut. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "k6gen/http/http1_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct outcome {
	enum http_failure failure;
	struct http_reply reply;
	struct buf headers;
	int64_t body_bytes;
	bool is_complete, keeps;
};

/* Take the bytes in pieces of that size (0: all at once), then the end. */
static struct outcome
take(const char *bytes, size_t n, size_t piece, bool is_head)
{
	static struct http_options options = { .max_body = 1 << 16 };
	static struct engine engine = { .options = &options };
	struct user u = { .engine = &engine };
	struct http1_answer a = { .user = NULL };
	struct outcome o = { .failure = FAILURE_NONE };
	size_t at = 0, some;

	http1_begin_answer(&a, &u, is_head);
	while (at < n && o.failure == FAILURE_NONE && !a.is_complete) {
		some = piece == 0 || piece > n - at ? n - at : piece;
		o.failure = http1_take_bytes(&a, bytes + at, some);
		at += some;
	}
	if (o.failure == FAILURE_NONE && !a.is_complete)
		o.failure = http1_take_bytes(&a, NULL, 0);
	o.is_complete = a.is_complete;
	if (a.is_complete)
		http1_fill_reply(&a, &o.reply);
	o.headers = u.headers;
	o.body_bytes = u.body_bytes;
	buf_release(&u.body);
	http1_release_answer(&a);
	return o;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct outcome all, pieces;
	bool is_head;

	if (n == 0)
		return 0;
	is_head = data[0] & 0x80;
	all = take((const char *)data + 1, n - 1, 0, is_head);
	pieces = take((const char *)data + 1, n - 1,
	    (size_t)(data[0] & 0x7f) + 1, is_head);
	if (all.is_complete != pieces.is_complete ||
	    (all.failure == FAILURE_NONE) != (pieces.failure == FAILURE_NONE))
		abort();
	if (all.is_complete && (all.reply.status != pieces.reply.status ||
	    all.body_bytes != pieces.body_bytes ||
	    !span_equal(buf_whole(&all.headers), buf_whole(&pieces.headers))))
		abort();
	buf_release(&all.headers);
	buf_release(&pieces.headers);
	return 0;
}
