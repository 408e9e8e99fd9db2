/* SPDX-License-Identifier: MIT */
/*
 * http2: HTTP/2 in bytes, by libnghttp2: one connection, on which one request
 * is under way at a time. It knows no socket.
 */
#ifndef K6PIPE_K6GEN_HTTP_HTTP2_H
#define K6PIPE_K6GEN_HTTP_HTTP2_H

#include "k6gen/http/engine.h"

struct http2;

/* A new connection of the user; the caller frees it. NULL: no memory. */
struct http2 *http2_new(struct user *u);
void http2_free(struct http2 *h);	/* NULL is allowed */

/* Begin a request; authority and path stand in its URL, of that scheme;
 * cookies, which may be empty, go with it. Borrowed until it is over. False:
 * the connection takes no more. */
struct http2_request {
	const struct http_request *r;
	const char *scheme;
	struct span authority;
	const char *path;
	struct span cookies;
};
bool http2_begin(struct http2 *h, const struct http2_request *request);

/* Give up the request. */
void http2_cancel(struct http2 *h);

/* The bytes to send next; empty: none. http2_sent takes them away. */
struct span http2_output(struct http2 *h);
void http2_sent(struct http2 *h, size_t n);

/* Whether all of the request is in what was sent. */
bool http2_is_sent(const struct http2 *h);

/* Take n bytes that were read at read_ns; the user's first_ns becomes that of
 * the first bytes of the answer. FAILURE_NONE: so far. */
enum http_failure http2_take_bytes(struct http2 *h, const char *bytes,
    size_t n, int64_t read_ns);

/* Whether the answer is all there; whether the server refused the request
 * unseen, which may be made again; whether the connection may serve another. */
bool http2_is_complete(const struct http2 *h);
bool http2_is_refused(const struct http2 *h);
bool http2_keeps_connection(const struct http2 *h);

/* Set status and proto of a complete answer. */
void http2_fill_reply(const struct http2 *h, struct http_reply *r);

#endif
