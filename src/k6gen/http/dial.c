/* SPDX-License-Identifier: MIT */
/* Makes a connection, trying one address after the other by RFC 8305. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/units.h"
#include "k6gen/http/conn.h"
#include "k6gen/http/dial_priv.h"

#define ATTEMPT_NS (250 * NS_PER_MS)	/* before the next one begins */

/* Attempts under way, one for each address that was begun. */
struct dial {
	struct address to[ADDRESSES];
	int n, next;		/* addresses; the first that was not tried */
	int fds[ADDRESSES];	/* 0: none any more */
	int64_t next_ns;	/* when the next is tried beside them */
};

static void
close_attempt(struct conn *c, int i)
{
	if (c->dial->fds[i] > 0)
		client_close(c->user->client, c->dial->fds[i]);
	c->dial->fds[i] = 0;
}

void
dial_free(struct conn *c)
{
	int i;

	for (i = 0; i < c->dial->next; i++)
		close_attempt(c, i);
	free(c->dial);
	c->dial = NULL;
}

static bool
open_socket(struct conn *c, struct engine *e, int i)
{
	const struct address *a = &c->dial->to[i];
	int one = 1, fd;

	fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	/* 0 means "no descriptor" here. */
	if (fd == 0) {
		errno = EMFILE;
		return false;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->dial->fds[i] = fd;
	if (!client_watch(c->user->client, fd, EPOLLIN | EPOLLOUT |
	    EPOLLRDHUP | EPOLLET, e, c))
		return false;
	return connect(fd, &a->sa, a->n) == 0 || errno == EINPROGRESS;
}

static bool
is_any_under_way(const struct dial *d)
{
	int i;

	for (i = 0; i < d->next; i++)
		if (d->fds[i] > 0)
			return true;
	return false;
}

/* Try addresses until one is under way. */
static bool
try_next(struct conn *c, struct engine *e)
{
	struct dial *d = c->dial;

	while (d->next < d->n) {
		d->next++;
		if (open_socket(c, e, d->next - 1)) {
			d->next_ns = now_monotonic_ns() + ATTEMPT_NS;
			return true;
		}
		c->user->os_error = errno;
		close_attempt(c, d->next - 1);
	}
	return is_any_under_way(d);
}

bool
conn_dial(struct conn *c, struct engine *e, const struct address *to, int n)
{
	c->dial = xcalloc(1, sizeof(*c->dial));
	c->dial->n = n < ADDRESSES ? n : ADDRESSES;
	memcpy(c->dial->to, to, (size_t)c->dial->n * sizeof(*to));
	c->ip[0] = '\0';
	if (try_next(c, e))
		return true;
	dial_free(c);
	return false;
}

static void
note_ip(struct conn *c, const struct address *a)
{
	const void *address = a->sa.sa_family == AF_INET ?
	    (const void *)&a->in.sin_addr : (const void *)&a->in6.sin6_addr;

	if (inet_ntop(a->sa.sa_family, address, c->ip, sizeof(c->ip)) == NULL)
		c->ip[0] = '\0';
}

int
conn_finish_dial(struct conn *c, struct engine *e, int fd)
{
	struct dial *d = c->dial;
	struct user *u = c->user;
	int i, error = 0;
	socklen_t n = sizeof(error);

	for (i = 0; i < d->next && d->fds[i] != fd; i++)
		;
	if (i == d->next)
		return CONN_LATER;
	(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n);
	u->os_error = error;
	if (error == 0) {
		d->fds[i] = 0;
		note_ip(c, &d->to[i]);
		dial_free(c);
		c->fd = fd;
		c->arrival = (struct arrival){ .ns = 0 };
		arrival_want(fd);
		c->connected_ns = now_monotonic_ns();
		return 0;
	}
	close_attempt(c, i);
	if (try_next(c, e))
		return CONN_LATER;
	dial_free(c);
	return CONN_FAILED;
}

int64_t
conn_dial_due_ns(const struct conn *c)
{
	return c->dial != NULL && c->dial->next < c->dial->n ?
	    c->dial->next_ns : INT64_MAX;
}

void
conn_dial_more(struct conn *c, struct engine *e)
{
	(void)try_next(c, e);
}
