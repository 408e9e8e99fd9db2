/* SPDX-License-Identifier: MIT */
/* links: k6gen.a */
/* Any bytes as what a server of HTTP/2 says during a request: it ends, fails or
 * waits, and all memory comes back. */
#include <stdint.h>
#include <stdlib.h>

#include "k6gen/http/http2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
send_all(struct http2 *h)
{
	struct span out;

	while ((out = http2_output(h)).n > 0)
		http2_sent(h, out.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct http_options options = { .user_agent = "u",
		.max_body = 1 << 16, .keep_body = 100 };
	static struct engine engine = { .options = &options };
	struct user u = { .engine = &engine };
	struct http_request r = { .method = "POST", .url = "http://h/",
		.body = SPAN("body") };
	struct http2_request q = { .r = &r, .scheme = "http",
		.authority = SPAN("h"), .path = "/", .cookies = SPAN("") };
	struct http2 *h = http2_new(&u);
	struct http_reply reply;
	size_t at, some;

	if (h == NULL || !http2_begin(h, &q))
		abort();
	send_all(h);
	for (at = 0; at < n; at += some) {
		some = n - at < 100 ? n - at : 100;
		if (http2_take_bytes(h, (const char *)data + at, some, 1) !=
		    FAILURE_NONE)
			break;
		send_all(h);
		if (!http2_is_complete(h))
			continue;
		http2_fill_reply(h, &reply);
		if (reply.status < 100 || reply.status > 999)
			abort();
		u.body_bytes = 0;
		if (!http2_begin(h, &q))
			break;
		send_all(h);
	}
	http2_free(h);
	buf_release(&u.headers);
	buf_release(&u.body);
	return 0;
}
