/* SPDX-License-Identifier: MIT */
/* http2_priv: a connection of HTTP/2, as http2's .c files share it. */
#ifndef K6PIPE_K6GEN_HTTP_HTTP2_PRIV_H
#define K6PIPE_K6GEN_HTTP_HTTP2_PRIV_H

#include <nghttp2/nghttp2.h>

#include "base/num.h"
#include "k6gen/http/http2.h"

struct http2 {
	nghttp2_session *session;
	const struct http_options *options;
	struct http2_stream streams;	/* a ring: under way or finished */
	size_t n_streams, n_finished, n_unsent;
	struct buf output;	/* made, from sent on not sent yet */
	size_t sent;
	struct buf names;	/* of the request's headers, in lower case */
	nghttp2_nv *headers;
	size_t n_headers, cap;
	int64_t read_ns;
	bool is_settled, is_going_away;
};

/* Put the request's headers into h->headers. They borrow of the request, of
 * h->names and of length. */
void http2_make_headers(struct http2 *h, const struct http2_request *q,
    char length[NUM_TEXT]);

#endif
