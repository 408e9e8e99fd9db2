/* SPDX-License-Identifier: MIT */
/* A connection of HTTP/2, and the requests that are under way on it. */
#include <sys/epoll.h>

#include "base/units.h"
#include "k6gen/http/direct_priv.h"

enum { READ_BYTES = 1 << 16 };

ssize_t
multiplex_flush(struct conn *c, int64_t from_ns)
{
	struct span out;
	struct iovec part;
	ssize_t n;

	while ((out = http2_output(c->http2)).n > 0) {
		part = (struct iovec){ (char *)out.p, out.n };
		n = conn_send(c, &part, 1);
		if (n < 0)
			return n;
		http2_sent(c->http2, (size_t)n, from_ns != 0 ?
		    conn_sent_ns(c, from_ns) : now_monotonic_ns());
		from_ns = 0;
	}
	return 0;
}

static void
end_finished(struct conn *c, const struct http2 *h)
{
	struct http2_stream *s;
	struct user *u;

	/* What ends may begin the next, and close the connection. */
	while (c->http2 == h && (s = http2_finished(h)) != NULL) {
		u = s->user;
		http2_leave(c->http2, s);
		if (s->failure != FAILURE_NONE)
			direct_fail_request(u, s->failure);
		else
			direct_end_request(u, FAILURE_NONE);
	}
}

/* No answer comes on it any more. */
static void
break_off(struct conn *c, enum http_failure failure)
{
	const struct http2 *h = c->http2;
	int os_error = failure == FAILURE_READ || failure == FAILURE_WRITE ?
	    c->user->os_error : 0;
	struct http2_stream *s;
	struct user *u;

	c->is_closing = true;
	while (c->http2 == h && (s = http2_any(h)) != NULL) {
		u = s->user;
		u->os_error = os_error;
		http2_leave(c->http2, s);
		direct_fail_request(u, failure == FAILURE_EOF &&
		    u->first_ns != 0 ? FAILURE_CUT : failure);
	}
	if (c->http2 == h)
		borrow_close(c);
}

/* One whose request is on it, if there is any, is to pay for the bytes. */
static void
choose_user(struct conn *c)
{
	struct http2_stream *s = http2_any(c->http2);

	if (s != NULL)
		conn_set_user(c, s->user);
}

void
multiplex_receive(struct conn *c)
{
	struct http2 *h = c->http2;
	char bytes[READ_BYTES];
	bool is_well;
	ssize_t n;

	do {
		choose_user(c);
		n = conn_receive(c, bytes, sizeof(bytes));
		if (n == CONN_LATER)
			return;
		if (n <= 0) {
			break_off(c, n < 0 ? FAILURE_READ : FAILURE_EOF);
			return;
		}
		is_well = http2_take_bytes(h, bytes, (size_t)n,
		    c->arrival.ns);
		/* Windows, and what must be acknowledged; a write that fails
		 * shows when it is read. */
		(void)multiplex_flush(c, 0);
		borrow_note_protocol(c);
		is_well = is_well && !http2_has_given_up(h);
		end_finished(c, h);
		if (c->http2 == h && (!is_well || (http2_any(h) == NULL &&
		    !http2_keeps_connection(h))))
			break_off(c, FAILURE_HTTP2);
	} while (c->http2 == h && conn_has_more(c));
}

void
multiplex_event(struct conn *c, uint32_t events)
{
	const struct http2 *h = c->http2;

	choose_user(c);
	/* An answer may say why a write failed; it is read below. */
	if (events & EPOLLOUT && multiplex_flush(c, 0) == CONN_FAILED &&
	    !(events & EPOLLIN)) {
		break_off(c, FAILURE_WRITE);
		return;
	}
	if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0)
		return;
	c->is_closing |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
	multiplex_receive(c);
	/* A short read hides the end that came behind it; no event will tell
	 * of it again. */
	if (c->http2 == h && c->is_closing)
		multiplex_receive(c);
}
