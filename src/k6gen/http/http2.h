/* SPDX-License-Identifier: MIT */
/*
 * http2: HTTP/2 in bytes, by libnghttp2: one connection, and the requests that
 * are under way on it at the same time. It knows no socket.
 */
#ifndef K6PIPE_K6GEN_HTTP_HTTP2_H
#define K6PIPE_K6GEN_HTTP_HTTP2_H

#include "k6gen/http/engine.h"

struct http2;

/* A request on a connection, and its answer; the caller's memory, which stays
 * where it is from http2_begin until it was finished or cancelled. A zeroed
 * struct is none. */
struct http2_stream {
	struct user *user;	/* whose request it is; NULL: none */
	int32_t id;
	struct span body;	/* what is left of it to be sent */
	int status;
	size_t head_bytes;
	bool is_trailer;
	bool is_put, is_sent;	/* all of it: into the output; of that */
	bool is_finished;	/* the answer is all there, or it failed */
	bool is_refused;	/* unseen: it may be made again */
	enum http_failure failure;
	struct http2_stream *next, *previous;	/* on the connection */
};

/* A new connection, for requests with those options, which are borrowed. The
 * caller frees it. NULL: no memory. */
struct http2 *http2_new(const struct http_options *o);
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
bool http2_begin(struct http2 *h, struct http2_stream *s, struct user *u,
    const struct http2_request *request);

/* Take the stream away: give it up, if it is not finished. */
void http2_leave(struct http2 *h, struct http2_stream *s);

/* The bytes to send next; empty: none. http2_sent takes them away; of users
 * whose requests are being sent, sent_ns becomes that. */
struct span http2_output(struct http2 *h);
void http2_sent(struct http2 *h, size_t n, int64_t sent_ns);

/* Take n bytes that were read at read_ns. Of a user whose answer they hold,
 * first_ns and last_ns become that. False: it cannot go on. */
bool http2_take_bytes(struct http2 *h, const char *bytes, size_t n,
    int64_t read_ns);

/* Whether, after the last output is sent, no answer comes any more; what came
 * may have been no HTTP/2. */
bool http2_has_given_up(struct http2 *h);

/* One of the streams on the connection that is finished; any of them; NULL:
 * none is. */
struct http2_stream *http2_finished(const struct http2 *h);
struct http2_stream *http2_any(const struct http2 *h);

/* Whether the connection may serve another request; whether the server allows
 * it now, beside those that are under way, as far as it has said so. */
bool http2_keeps_connection(const struct http2 *h);
bool http2_has_room(const struct http2 *h);

/* Whether the server has told its limits; let it serve no other request. */
bool http2_is_settled(const struct http2 *h);
void http2_retire(struct http2 *h);

/* Set status and proto of a complete answer. */
void http2_fill_reply(const struct http2_stream *s, struct http_reply *r);

#endif
