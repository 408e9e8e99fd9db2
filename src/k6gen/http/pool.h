/* SPDX-License-Identifier: MIT */
/* pool: the connections that a user keeps, one to each of its last servers. */
#ifndef K6PIPE_K6GEN_HTTP_POOL_H
#define K6PIPE_K6GEN_HTTP_POOL_H

#include <stdbool.h>

#include "k6gen/http/conn.h"

enum { POOL_CONNS = 4 };

/* A zeroed struct is empty. */
struct pool {
	struct conn conns[POOL_CONNS];
};

/* The open connection to the authority, with TLS or without; or NULL. */
struct conn *pool_find(struct pool *p, const char *authority, bool has_tls);

/* A closed one to make it with: the last one to there, whose session is
 * resumed; an empty one; or the one that was used longest ago. */
struct conn *pool_place(struct pool *p, const char *authority, bool has_tls);

void pool_release(struct pool *p);

#endif
