/* SPDX-License-Identifier: MIT */
/* The connections that a user keeps, one to each of its last servers. */
#include <string.h>

#include "k6gen/http/pool.h"

struct conn *
pool_find(struct pool *p, const char *authority)
{
	struct conn *c;

	for (c = p->conns; c < p->conns + POOL_CONNS; c++)
		if (c->fd > 0 && strcmp(c->authority, authority) == 0)
			return c;
	return NULL;
}

struct conn *
pool_place(struct pool *p, const char *authority)
{
	struct conn *oldest = &p->conns[0], *c = pool_find(p, authority);
	int i;

	if (c != NULL)
		return c;
	for (i = 0; i < POOL_CONNS; i++) {
		c = &p->conns[i];
		if (c->fd <= 0 ? oldest->fd > 0 :
		    oldest->fd > 0 && c->used_ns < oldest->used_ns)
			oldest = c;
	}
	conn_close(oldest);
	return oldest;
}

static bool
is_same_address(const struct sockaddr *a, const struct sockaddr *b)
{
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;

	if (a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET)
		return a4->sin_port == b4->sin_port &&
		    a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return a->sa_family == AF_INET6 && a6->sin6_port == b6->sin6_port &&
	    memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof(a6->sin6_addr)) == 0;
}

bool
pool_is_idle_to(const struct conn *c, const struct sockaddr *to)
{
	struct sockaddr_storage peer;
	socklen_t n = sizeof(peer);

	return c->fd > 0 && c->is_connected && !c->is_closing &&
	    getpeername(c->fd, (struct sockaddr *)&peer, &n) == 0 &&
	    is_same_address((const struct sockaddr *)&peer, to);
}

void
pool_close(struct pool *p)
{
	int i;

	for (i = 0; i < POOL_CONNS; i++)
		conn_close(&p->conns[i]);
}
