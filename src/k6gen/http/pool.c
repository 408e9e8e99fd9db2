/* SPDX-License-Identifier: MIT */
/* The connections that a user keeps, one to each of its last servers. */
#include <string.h>

#include "k6gen/http/pool.h"

static bool
is_to(const struct conn *c, const char *authority, bool has_tls)
{
	return c->has_tls == has_tls && strcmp(c->authority, authority) == 0;
}

struct conn *
pool_find(struct pool *p, const char *authority, bool has_tls)
{
	struct conn *c;

	for (c = p->conns; c < p->conns + POOL_CONNS; c++)
		if (conn_is_open(c) && is_to(c, authority, has_tls))
			return c;
	return NULL;
}

struct conn *
pool_place(struct pool *p, const char *authority, bool has_tls)
{
	struct conn *oldest = &p->conns[0], *c;

	for (c = p->conns; c < p->conns + POOL_CONNS; c++)
		if (is_to(c, authority, has_tls)) {
			conn_close(c);
			return c;
		}
	for (c = p->conns; c < p->conns + POOL_CONNS; c++)
		if (!conn_is_open(c) ? conn_is_open(oldest) :
		    conn_is_open(oldest) && c->used_ns < oldest->used_ns)
			oldest = c;
	conn_forget(oldest);
	return oldest;
}

void
pool_release(struct pool *p)
{
	int i;

	for (i = 0; i < POOL_CONNS; i++)
		conn_forget(&p->conns[i]);
}
