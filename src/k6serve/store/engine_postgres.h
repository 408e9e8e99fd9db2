/* SPDX-License-Identifier: MIT */
/* engine_postgres: a database of a PostgreSQL server, by libpq. */
#ifndef K6PIPE_K6SERVE_STORE_ENGINE_POSTGRES_H
#define K6PIPE_K6SERVE_STORE_ENGINE_POSTGRES_H

#include "k6serve/store/engine.h"

extern const struct engine engine_postgres;

/* Was this program built with libpq? Without it there is only this function. */
bool engine_postgres_is_there(void);

/* Connect by a URL, and make the tables of schema, in a schema of their own, or
 * bring them to this version; a schema of NULL: they stay as they are. NULL:
 * why. */
void *engine_postgres_open(const char *url, struct span schema,
    struct why *why);

#endif
