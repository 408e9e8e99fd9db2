/* SPDX-License-Identifier: MIT */
/* TCP connections: made, written to, read from, counted. Edge-triggered: epoll
 * tells once when there is room, or something to read. */
#include "k6gen/http/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/epoll.h>

/* The kernel's own struct, as glibc's has no bytes. */
#include <linux/tcp.h>

#include "base/units.h"

void
conn_close(struct conn *c)
{
	if (c->fd > 0)
		client_close(c->user->client, c->fd);
	c->fd = 0;
	c->is_connected = c->is_closing = false;
}

int
conn_release_fd(struct conn *c)
{
	int fd = c->fd;

	client_unwatch(c->user->client, fd);
	c->fd = 0;
	c->is_connected = false;
	return fd;
}

static bool
open_socket(struct conn *c, struct engine *e)
{
	const struct address *a = &c->host->addresses[c->address];
	int one = 1, fd;

	fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	/* 0 means "no descriptor" here. */
	if (fd == 0) {
		errno = EMFILE;
		return false;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->fd = fd;
	if (!client_watch(c->user->client, fd, EPOLLIN | EPOLLOUT |
	    EPOLLRDHUP | EPOLLET, e, c))
		return false;
	return connect(fd, (const struct sockaddr *)&a->sa, a->n) == 0 ||
	    errno == EINPROGRESS;
}

bool
conn_dial(struct conn *c, struct engine *e)
{
	for (; c->address < c->host->n; c->address++) {
		if (open_socket(c, e))
			return true;
		c->user->os_error = errno;
		conn_close(c);
	}
	return false;
}

static void
note_ip(struct conn *c)
{
	const struct sockaddr_storage *sa =
	    &c->host->addresses[c->address].sa;
	const void *address = sa->ss_family == AF_INET ?
	    (const void *)&((const struct sockaddr_in *)sa)->sin_addr :
	    (const void *)&((const struct sockaddr_in6 *)sa)->sin6_addr;

	if (inet_ntop(sa->ss_family, address, c->ip, sizeof(c->ip)) == NULL)
		c->ip[0] = '\0';
}

bool
conn_finish_dial(struct conn *c, struct engine *e)
{
	struct user *u = c->user;
	socklen_t n = sizeof(u->os_error);

	(void)getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &u->os_error, &n);
	if (u->os_error == 0) {
		c->is_connected = true;
		note_ip(c);
		return true;
	}
	conn_close(c);
	c->address++;
	return conn_dial(c, e);
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

	do
		n = sendmsg(c->fd, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return note_failure(c);
	c->user->bytes.sent += n;
	c->user->sent_ns = now_monotonic_ns();
	return n;
}

ssize_t
conn_receive(struct conn *c, char *bytes, size_t n_bytes)
{
	struct user *u = c->user;
	ssize_t n;

	do
		n = recv(c->fd, bytes, n_bytes, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return note_failure(c);
	if (n > 0 && u->first_ns == 0)
		u->first_ns = now_monotonic_ns();
	u->bytes.received += n;
	return n;
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
