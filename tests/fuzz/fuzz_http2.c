/* SPDX-License-Identifier: MIT */
/* links: k6gen.a */
/* Any bytes as what a server of HTTP/2 says while several requests are under
 * way: each ends, fails or waits, and all memory comes back. A byte of 255
 * before a piece gives one of them up. */
#include <stdint.h>
#include <stdlib.h>

#include "k6gen/http/http2.h"

enum { STREAMS = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct http_options options = { .user_agent = "u",
	.max_body = 1 << 16, .keep_body = 100 };
static struct engine engine = { .options = &options };
static const struct http_request request = { .method = "POST",
	.url = "http://h/", .body = SPAN("body") };

static void
send_all(struct http2 *h)
{
	struct span out;

	while ((out = http2_output(h)).n > 0)
		http2_sent(h, out.n, 1);
}

static void
begin(struct http2 *h, struct http2_stream *s, struct user *u)
{
	const struct http2_request q = { .r = &request, .scheme = "http",
		.authority = SPAN("h"), .path = "/", .cookies = SPAN("") };

	u->body_bytes = 0;
	u->first_ns = 0;
	if (!http2_begin(h, s, u, &q) && s->user != NULL)
		abort();
}

static void
end_finished(struct http2 *h)
{
	struct http2_stream *s;
	struct http_reply reply;
	struct user *u;

	while ((s = http2_finished(h)) != NULL) {
		u = s->user;
		http2_leave(h, s);
		http2_fill_reply(s, &reply);
		if (s->failure == FAILURE_NONE && (reply.status < 100 ||
		    reply.status > 999 || u->first_ns == 0))
			abort();
		if (http2_has_room(h))
			begin(h, s, u);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct user users[STREAMS] = { { .engine = &engine },
		{ .engine = &engine }, { .engine = &engine } };
	struct http2_stream streams[STREAMS] = { { .user = NULL } };
	struct http2 *h = http2_new(&options);
	size_t at, some, i;

	if (h == NULL)
		abort();
	for (i = 0; i < STREAMS; i++)
		begin(h, &streams[i], &users[i]);
	send_all(h);
	for (at = 0; at < n; at += some) {
		if (data[at] == 255)
			http2_leave(h, &streams[at % STREAMS]);
		some = n - at < 100 ? n - at : 100;
		if (!http2_take_bytes(h, (const char *)data + at, some, 1))
			break;
		send_all(h);
		(void)http2_has_given_up(h);
		end_finished(h);
		send_all(h);
	}
	for (i = 0; http2_any(h) != NULL; i++)
		http2_leave(h, http2_any(h));
	if (i > STREAMS)
		abort();
	http2_free(h);
	for (i = 0; i < STREAMS; i++) {
		buf_release(&users[i].headers);
		buf_release(&users[i].body);
	}
	return 0;
}
