/* SPDX-License-Identifier: MIT */
/* engine_sqlite: a database in one file, by SQLite. */
#ifndef K6PIPE_K6SERVE_STORE_ENGINE_SQLITE_H
#define K6PIPE_K6SERVE_STORE_ENGINE_SQLITE_H

#include "k6serve/store/engine.h"

extern const struct engine engine_sqlite;

/* Open the file as store_open does; a schema of NULL: as store_open_as_is.
 * NULL: why. */
void *engine_sqlite_open(const char *path, struct span schema,
    struct why *why);

#endif
