/* SPDX-License-Identifier: MIT */
/* pool: the connections that a user keeps, one to each of its last servers. */
#ifndef K6PIPE_K6GEN_HTTP_POOL_H
#define K6PIPE_K6GEN_HTTP_POOL_H

#include <stdbool.h>
#include <sys/socket.h>

#include "k6gen/http/conn.h"

enum { POOL_CONNS = 4 };

/* A zeroed struct is empty. */
struct pool {
	struct conn conns[POOL_CONNS];
};

/* The connection to the authority, or NULL. */
struct conn *pool_find(struct pool *p, const char *authority);

/* The same, or one to make it with: an empty one, or the one that was used
 * longest ago, which is closed. */
struct conn *pool_place(struct pool *p, const char *authority);

/* Does the connection stand open, idle, to that address? */
bool pool_is_idle_to(const struct conn *c, const struct sockaddr *to);

void pool_close(struct pool *p);

#endif
