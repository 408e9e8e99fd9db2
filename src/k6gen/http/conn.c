/* SPDX-License-Identifier: MIT */
/* Connections: written to, read from, counted, with TLS or without. Edge-
 * triggered: epoll tells once when there is room, or something to read. */
#include "k6gen/http/conn.h"

#include <errno.h>

/* The kernel's own struct, as glibc's has no bytes. */
#include <linux/tcp.h>

#include "base/units.h"
#include "k6gen/http/dial_priv.h"
#include "k6gen/http/http2.h"

/* The kernel's own time is in ticks of up to 10 ms. */
#define HELD_UP_NS (15 * NS_PER_MS)

void
conn_close(struct conn *c)
{
	if (c->dial != NULL)
		dial_free(c);
	http2_free(c->http2);
	tls_free(c->tls);
	c->http2 = NULL;
	c->tls = NULL;
	if (c->fd > 0)
		client_close(c->user->client, c->fd);
	c->fd = 0;
	c->is_ready = c->is_closing = false;
	c->connected_ns = c->shaking_ns = 0;
}

void
conn_forget(struct conn *c)
{
	conn_close(c);
	tls_session_free(c->session);
	c->session = NULL;
}

int
conn_shake_hands(struct conn *c, struct tls_context *context,
    enum http_failure *failure)
{
	struct user *u = c->user;

	*failure = FAILURE_TLS;
	if (c->tls == NULL) {
		c->shaking_ns = now_monotonic_ns();
		c->tls = tls_new(context, c->fd, c->authority, &c->session,
		    &(struct tls_counts){ &c->bytes, &c->arrival });
	}
	if (c->tls == NULL)
		return CONN_FAILED;
	switch (tls_shake_hands(c->tls, failure, &u->os_error)) {
	case TLS_LATER:
		return CONN_LATER;
	case TLS_FAILED:
		return CONN_FAILED;
	default:
		return 0;
	}
}

static ssize_t
note_failure(struct conn *c)
{
	if (errno == EAGAIN)
		return CONN_LATER;
	c->user->os_error = errno;
	return CONN_FAILED;
}

ssize_t
conn_send(struct conn *c, struct iovec *parts, size_t n_parts)
{
	struct msghdr m = { .msg_iov = parts, .msg_iovlen = n_parts };
	ssize_t n;

	if (c->tls != NULL) {
		n = tls_send(c->tls, parts, n_parts, &c->user->os_error);
		return n >= 0 ? n : n == TLS_LATER ? CONN_LATER : CONN_FAILED;
	}
	do
		n = n_parts == 1 ? send(c->fd, parts->iov_base, parts->iov_len,
		    MSG_NOSIGNAL) : sendmsg(c->fd, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return note_failure(c);
	c->bytes->sent += n;
	return n;
}

int64_t
conn_sent_ns(const struct conn *c, int64_t from_ns)
{
	struct tcp_info info = { .tcpi_last_data_sent = 0 };
	socklen_t n = sizeof(info);
	int64_t now = now_monotonic_ns(), sent;

	if (now - from_ns < HELD_UP_NS || getsockopt(c->fd, IPPROTO_TCP,
	    TCP_INFO, &info, &n) != 0)
		return now;
	sent = now - info.tcpi_last_data_sent * NS_PER_MS;
	return sent > from_ns ? sent : from_ns;
}

static ssize_t
receive_plain(struct conn *c, char *bytes, size_t n_bytes, int flags)
{
	ssize_t n = arrival_receive(c->fd, bytes, n_bytes, flags,
	    &c->arrival);

	if (n < 0)
		return note_failure(c);
	c->bytes->received += n;
	c->is_drained = (size_t)n < n_bytes;
	return n;
}

ssize_t
conn_receive(struct conn *c, char *bytes, size_t n_bytes)
{
	ssize_t n;

	if (c->tls == NULL)
		return receive_plain(c, bytes, n_bytes, 0);
	n = tls_receive(c->tls, bytes, n_bytes, &c->user->os_error);
	return n >= 0 ? n : n == TLS_LATER ? CONN_LATER : CONN_FAILED;
}

ssize_t
conn_discard(struct conn *c, char *bytes, size_t n_bytes)
{
	return receive_plain(c, bytes, n_bytes, MSG_TRUNC);
}

bool
conn_has_more(const struct conn *c)
{
	return c->tls != NULL ? tls_has_more(c->tls) : !c->is_drained;
}

bool
conn_is_waiting(struct conn *c)
{
	return c->tls != NULL && tls_is_waiting(c->tls);
}

bool
conn_count_bytes(int fd, struct http_bytes *bytes)
{
	struct tcp_info info = { .tcpi_state = 0 };
	socklen_t n = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) != 0)
		return false;
	bytes->sent = (int64_t)(info.tcpi_bytes_sent -
	    info.tcpi_bytes_retrans);
	/* The end of the stream counts as a byte there. */
	bytes->received = (int64_t)info.tcpi_bytes_received -
	    (info.tcpi_state == 8 /* CLOSE_WAIT */);
	return true;
}
