/* SPDX-License-Identifier: MIT */
/* A request and its answer on a connection that is ready: HTTP/1.1 or 2. */
#include "base/units.h"
#include "k6gen/http/direct_priv.h"

enum {
	READ_BYTES = 1 << 16,
	FIRST_BYTES = 1 << 14,	/* of these, what follows may be unwanted */
};

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
	buf_reset(&x->cookies);
	header_write_cookies(&x->request->headers,
	    &u->engine->options->headers, x->request->leave_out, &x->cookies);
	user_write_cookies(u, x->authority, x->path, x->has_tls,
	    &x->cookies);
}

/* Write the head of the request, unless it is there: that of the last one to
 * the same URL. */
static void
write_head(struct user *u, struct exchange *x)
{
	const struct http_request *r = x->request;
	struct http1_request q = { .r = r, .path = x->path,
		.cookies = buf_whole(&x->cookies) };
	size_t body = header_wants_body(r) ? r->body.n : SIZE_MAX;
	size_t n = strlen(r->method);
	bool is_plain = r->headers.n == 0 && x->cookies.n == 0;

	if (is_plain && x->is_head_kept && x->head_body == body &&
	    x->head_leave_out == r->leave_out && x->head.n > n &&
	    memcmp(x->head.p, r->method, n) == 0 && x->head.p[n] == ' ')
		return;
	q.host = host_of(x);
	http1_write_head(&direct_of(u)->heads, &q, &x->head);
	x->is_head_kept = is_plain;
	x->head_body = body;
	x->head_leave_out = r->leave_out;
}

static enum http_failure
begin_http2(struct user *u, struct exchange *x)
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
	is_begun = http2_begin(x->conn->http2, &x->stream, u, &q);
	buf_release(&path);
	return is_begun ? FAILURE_NONE : FAILURE_READ;
}

enum http_failure
exchange_begin(struct user *u)
{
	struct exchange *x = direct_state_of(u)->exchange;
	enum http_failure failure = FAILURE_NONE;

	add_cookies(u, x);
	x->sent = 0;
	x->stream.is_refused = false;
	conn_set_user(x->conn, u);
	if (x->conn->http2 != NULL) {
		failure = begin_http2(u, x);
	} else {
		write_head(u, x);
		http1_begin_answer(&x->answer, u, &direct_of(u)->known,
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
		/* Mostly all of it is sent by the first call. */
		u->sent_ns = x->sent == 0 && (size_t)n == all ?
		    conn_sent_ns(x->conn, u->ready_ns) : now_monotonic_ns();
		x->sent += (size_t)n;
	}
	return FAILURE_NONE;
}

enum http_failure
exchange_send(struct user *u)
{
	struct exchange *x = direct_state_of(u)->exchange;

	if (x->conn->http2 == NULL)
		return send_http1(u, x);
	return multiplex_flush(x->conn, u->ready_ns) == CONN_FAILED ?
	    FAILURE_WRITE : FAILURE_NONE;
}

/* Take n bytes of the answer; 0: the connection's end. */
static enum http_failure
take_bytes(struct user *u, struct exchange *x, const char *bytes, size_t n)
{
	struct conn *c = x->conn;

	if (n == 0 && u->first_ns == 0)
		return FAILURE_EOF;
	u->last_ns = c->arrival.ns;
	if (u->first_ns == 0)
		u->first_ns = c->arrival.ns;
	return http1_take_bytes(&x->answer, bytes, n);
}

/* What is read behind the first bytes of a long body need not be copied. */
static ssize_t
receive(const struct exchange *x, char bytes[READ_BYTES])
{
	struct conn *c = x->conn;
	size_t keep = c->user->engine->options->keep_body, n;

	if (c->tls != NULL)
		return conn_receive(c, bytes, READ_BYTES);
	n = http1_unwanted(&x->answer);
	if (n > 0)
		return conn_discard(c, bytes, n < READ_BYTES ? n :
		    READ_BYTES);
	return conn_receive(c, bytes, keep < FIRST_BYTES ? FIRST_BYTES :
	    READ_BYTES);
}

enum exchange_result
exchange_receive(struct user *u, enum http_failure *failure)
{
	struct exchange *x = direct_state_of(u)->exchange;
	struct conn *c = x->conn;
	char bytes[READ_BYTES];
	ssize_t n;

	for (;;) {
		n = receive(x, bytes);
		if (n == CONN_LATER)
			return EXCHANGE_MORE;
		*failure = n < 0 ? FAILURE_READ :
		    take_bytes(u, x, bytes, (size_t)n);
		if (*failure != FAILURE_NONE || x->answer.is_complete)
			return EXCHANGE_OVER;
		if (!conn_has_more(c))
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
	/* Of several requests, one says nothing of the others. */
	if (c->http2 != NULL)
		return (failure == FAILURE_NONE || c->route != NULL ||
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
		http2_fill_reply(&x->stream, r);
	else
		http1_fill_reply(&x->answer, r);
	if (c->tls != NULL)
		r->tls_version = tls_version(c->tls);
}

bool
exchange_drain(struct conn *c)
{
	char bytes[READ_BYTES];

	/* Of TLS it may be a ticket; else the end, or what nobody asked for. */
	return c->tls != NULL && conn_receive(c, bytes, sizeof(bytes)) ==
	    CONN_LATER;
}
