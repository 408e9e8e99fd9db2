/* SPDX-License-Identifier: MIT */
/* links: k6gen.a */
/* Any bytes as an answer of HTTP/1.1: whole, cut anywhere, or known from before
 * they come to the same, and all memory comes back. The first byte says how
 * they are cut. */
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
take(const char *bytes, size_t n, size_t piece, struct http1_known *known,
    bool is_head)
{
	static struct http_options options = { .max_body = 1 << 16 };
	static struct engine engine = { .options = &options };
	struct user u = { .engine = &engine };
	struct http1_answer a = { .user = NULL };
	struct outcome o = { .failure = FAILURE_NONE };
	size_t at = 0, some;

	http1_begin_answer(&a, &u, known, is_head);
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
	o.keeps = http1_keeps_connection(&a);
	o.headers = u.headers;
	o.body_bytes = u.body_bytes;
	buf_release(&u.body);
	http1_release_answer(&a);
	return o;
}

static void
compare(const struct outcome *a, const struct outcome *b)
{
	if (a->is_complete != b->is_complete ||
	    (a->failure == FAILURE_NONE) != (b->failure == FAILURE_NONE))
		abort();
	if (a->is_complete && (a->reply.status != b->reply.status ||
	    a->body_bytes != b->body_bytes ||
	    !span_equal(buf_whole(&a->headers), buf_whole(&b->headers))))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct http1_known known = { .last = 0 };
	struct outcome all, other;
	bool is_head;
	int i;

	if (n == 0)
		return 0;
	is_head = data[0] & 0x80;
	all = take((const char *)data + 1, n - 1, 0, NULL, is_head);
	other = take((const char *)data + 1, n - 1,
	    (size_t)(data[0] & 0x7f) + 1, NULL, is_head);
	compare(&all, &other);
	buf_release(&other.headers);
	/* For the first time, and when the head is known. */
	for (i = 0; i < 2; i++) {
		other = take((const char *)data + 1, n - 1, 0, &known,
		    is_head);
		compare(&all, &other);
		if (other.keeps != all.keeps)
			abort();
		buf_release(&other.headers);
	}
	buf_release(&all.headers);
	http1_release_known(&known);
	return 0;
}
