/* SPDX-License-Identifier: MIT */
/* A request and its answer on a connection that is ready: HTTP/1.1 or 2. */
#include "base/units.h"
#include "k6gen/http/direct_priv.h"
#include "k6gen/http/http2.h"

enum { READ_BYTES = 1 << 16 };

/* The host as it stands in the URL; the scheme's own port is not said. */
static struct span
host_of(const struct exchange *x)
{
	struct span s = span_of(x->authority);
	const char *port = x->has_tls ? ":443" : ":80";
	size_t n = strlen(port);

	if (s.n > n && memcmp(s.p + s.n - n, port, n) == 0)
		s.n -= n;
	return s;
}

static void
add_cookies(struct user *u, struct exchange *x)
{
	struct span named = header_cookies(&x->request->headers,
	    &u->engine->options->headers, x->request->leave_out);

	buf_reset(&x->cookies);
	buf_span(&x->cookies, named);
	user_write_cookies(u, x->authority, x->path, x->has_tls,
	    &x->cookies);
}

static enum http_failure
begin_http2(struct exchange *x)
{
	static const char root[] = "/";
	struct http2_request q = { .r = x->request,
		.scheme = x->has_tls ? "https" : "http",
		.authority = host_of(x), .path = x->path,
		.cookies = buf_whole(&x->cookies) };
	struct buf path = { 0 };
	bool is_begun;

	if (q.path[0] != '/') {
		buf_text(&path, root);
		buf_text(&path, x->path);
		q.path = path.p;
	}
	is_begun = http2_begin(x->conn->http2, &q);
	buf_release(&path);
	return is_begun ? FAILURE_NONE : FAILURE_READ;
}

enum http_failure
exchange_begin(struct user *u)
{
	struct exchange *x = direct_state_of(u)->exchange;
	struct http1_request q = { .r = x->request, .host = host_of(x),
		.path = x->path };
	enum http_failure failure = FAILURE_NONE;

	add_cookies(u, x);
	x->sent = 0;
	x->is_sent = false;
	if (x->conn->http2 != NULL) {
		failure = begin_http2(x);
	} else {
		q.cookies = buf_whole(&x->cookies);
		http1_write_head(&direct_of(u)->heads, &q, &x->head);
		http1_begin_answer(&x->answer, u,
		    strcmp(x->request->method, "HEAD") == 0);
	}
	u->ready_ns = now_monotonic_ns();
	u->sent_ns = u->first_ns = u->last_ns = 0;
	return failure != FAILURE_NONE ? failure : exchange_send(u);
}

static enum http_failure
send_http1(struct user *u, struct exchange *x)
{
	struct span body = x->request->body;
	size_t all = x->head.n + body.n, from, n_parts;
	struct iovec parts[2];
	ssize_t n;

	while (x->sent < all) {
		n_parts = 0;
		if (x->sent < x->head.n)
			parts[n_parts++] = (struct iovec){
				x->head.p + x->sent, x->head.n - x->sent };
		from = x->sent > x->head.n ? x->sent - x->head.n : 0;
		if (body.n > from)
			parts[n_parts++] = (struct iovec){
				(char *)body.p + from, body.n - from };
		n = conn_send(x->conn, parts, n_parts);
		if (n == CONN_LATER)
			return FAILURE_NONE;
		if (n < 0)
			return FAILURE_WRITE;
		x->sent += (size_t)n;
		u->sent_ns = now_monotonic_ns();
	}
	return FAILURE_NONE;
}

/* What the protocol has to say, requests and other. */
static ssize_t
flush_http2(struct conn *c)
{
	struct span out;
	struct iovec part;
	ssize_t n;

	while ((out = http2_output(c->http2)).n > 0) {
		part = (struct iovec){ (char *)out.p, out.n };
		n = conn_send(c, &part, 1);
		if (n < 0)
			return n;
		http2_sent(c->http2, (size_t)n);
	}
	return 0;
}

enum http_failure
exchange_send(struct user *u)
{
	struct exchange *x = direct_state_of(u)->exchange;
	ssize_t n;

	if (x->conn->http2 == NULL)
		return send_http1(u, x);
	n = flush_http2(x->conn);
	if (!x->is_sent && n != CONN_FAILED) {
		u->sent_ns = now_monotonic_ns();
		x->is_sent = http2_is_sent(x->conn->http2);
	}
	return n == CONN_FAILED ? FAILURE_WRITE : FAILURE_NONE;
}

/* Take n bytes of the answer; 0: the connection's end. */
static enum http_failure
take_bytes(struct user *u, struct exchange *x, const char *bytes, size_t n)
{
	struct conn *c = x->conn;
	enum http_failure failure;

	if (n == 0 && u->first_ns == 0)
		return FAILURE_EOF;
	u->last_ns = c->arrival.ns;
	if (c->http2 == NULL) {
		if (u->first_ns == 0)
			u->first_ns = c->arrival.ns;
		return http1_take_bytes(&x->answer, bytes, n);
	}
	if (n == 0)
		return FAILURE_CUT;
	failure = http2_take_bytes(c->http2, bytes, n, c->arrival.ns);
	/* Windows, and what must be acknowledged; a write that fails shows
	 * when it is read. */
	(void)exchange_send(u);
	return failure;
}

enum exchange_result
exchange_receive(struct user *u, enum http_failure *failure)
{
	struct exchange *x = direct_state_of(u)->exchange;
	struct conn *c = x->conn;
	char bytes[READ_BYTES];
	ssize_t n;

	for (;;) {
		n = conn_receive(c, bytes, sizeof(bytes));
		if (n == CONN_LATER)
			return EXCHANGE_MORE;
		*failure = n < 0 ? FAILURE_READ :
		    take_bytes(u, x, bytes, (size_t)n);
		if (*failure != FAILURE_NONE || (c->http2 != NULL ?
		    http2_is_complete(c->http2) : x->answer.is_complete))
			return EXCHANGE_OVER;
		/* Less than asked for: there is no more now. A record of TLS
		 * tells nothing of the next one. */
		if (c->tls == NULL && (size_t)n < sizeof(bytes))
			return EXCHANGE_MORE;
	}
}

bool
exchange_keeps_connection(struct user *u, enum http_failure failure)
{
	struct exchange *x = direct_state_of(u)->exchange;
	struct conn *c = x->conn;

	if (c->is_closing || u->engine->options->keep == HTTP_KEEP_NONE)
		return false;
	if (c->http2 != NULL)
		return (failure == FAILURE_NONE ||
		    failure == FAILURE_HTTP2_STREAM) &&
		    http2_keeps_connection(c->http2);
	/* What is left of a body after an early answer would be read as the
	 * next request. */
	return failure == FAILURE_NONE && !conn_is_waiting(c) &&
	    x->sent == x->head.n + x->request->body.n &&
	    http1_keeps_connection(&x->answer);
}

void
exchange_fill_reply(struct user *u, struct http_reply *r)
{
	struct exchange *x = direct_state_of(u)->exchange;
	struct conn *c = x->conn;

	if (c->http2 != NULL)
		http2_fill_reply(c->http2, r);
	else
		http1_fill_reply(&x->answer, r);
	if (c->tls != NULL)
		r->tls_version = tls_version(c->tls);
}

bool
exchange_drain(struct conn *c)
{
	char bytes[READ_BYTES];
	ssize_t n;

	/* The end, or what nobody asked for. */
	if (c->tls == NULL && c->http2 == NULL)
		return false;
	while ((n = conn_receive(c, bytes, sizeof(bytes))) > 0)
		if (c->http2 == NULL || http2_take_bytes(c->http2, bytes,
		    (size_t)n, c->arrival.ns) != FAILURE_NONE ||
		    !http2_keeps_connection(c->http2))
			return false;
	return n == CONN_LATER && (c->http2 == NULL ||
	    flush_http2(c) != CONN_FAILED);
}
