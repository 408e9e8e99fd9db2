/* SPDX-License-Identifier: MIT */
/* engine_sqlite_priv: what the engine's .c files share. */
#ifndef K6PIPE_K6SERVE_STORE_ENGINE_SQLITE_PRIV_H
#define K6PIPE_K6SERVE_STORE_ENGINE_SQLITE_PRIV_H

#include <sqlite3.h>
#include <sys/types.h>

#include "k6serve/store/engine_sqlite.h"

/* Which file it was. */
struct sqlite_file {
	dev_t device;
	ino_t inode;
	bool is_known;
};

struct sqlite_session {
	sqlite3 *db;
	struct sqlite_file main, log;	/* the database and its -wal */
	bool is_misplaced;		/* they are no longer there */
	bool (*is_unwanted)(void *ctx);	/* of watch; NULL: none */
	void *watch;			/* its ctx */
};

/* The reason of SQLite's last failure. Returns -1. */
int sqlite_why(struct sqlite_session *q, struct why *why);

/* Are the files in their place? 0, or -1 and why. */
int sqlite_check_place(struct sqlite_session *q, struct why *why);

/* Note the log of writes, once it is there: after the first transaction. */
void sqlite_note_log(struct sqlite_session *q);

/* Is the schema the one that is known here? 0, or -1 and why. */
int sqlite_check_schema(struct sqlite_session *q, struct why *why);

/* The engine's load_begin, load_row and load_end. */
struct engine_load *sqlite_load_begin(void *session, const char *into,
    int columns, struct why *why);
int sqlite_load_row(struct engine_load *l, const struct engine_value *row,
    struct why *why);
int sqlite_load_end(struct engine_load *l, struct why *why);

/* Open the same file again; NULL: why. */
void *sqlite_open_again(void *session, struct why *why);
void sqlite_close(void *session);

#endif
