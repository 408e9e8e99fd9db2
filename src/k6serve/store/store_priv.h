/* SPDX-License-Identifier: MIT */
/* store_priv: what store's .c files share. */
#ifndef K6PIPE_K6SERVE_STORE_STORE_PRIV_H
#define K6PIPE_K6SERVE_STORE_STORE_PRIV_H

#include <sqlite3.h>

#include "base/buf.h"
#include "k6serve/store/store.h"

/* Statements, compiled when first used and kept. */
enum store_statement {
	SQL_BEGIN, SQL_COMMIT, SQL_ROLLBACK,
	SQL_TOKEN_ADD, SQL_TOKEN_REMOVE, SQL_TOKENS,
	SQL_RUN_ADD, SQL_RUN_OF_KEY, SQL_RUN_END, SQL_RUN_STATE, SQL_RUN_BUMP,
	SQL_RUN_NOTE, SQL_RUN_REMOVE,
	SQL_SLOW_BOUND, SQL_SLOW_ADD, SQL_SLOW_TRIM, SQL_SLOW_LIST,
	SQL_BATCH_FIND, SQL_BATCH_ADD,
	SQL_TAGS_FIND, SQL_TAGS_ADD,
	SQL_SERIES_FIND, SQL_SERIES_ADD, SQL_SERIES_SET, SQL_SERIES_COUNT,
	SQL_POINT_ADD, SQL_POINT_FIND, SQL_POINT_SET,
	SQL_RUN_GET, SQL_RUN_LIST, SQL_SERIES_WHOLE, SQL_SERIES_EACH,
	SQL_POINTS_WHOLE, SQL_POINTS_EACH, SQL_POINTS_OF, SQL_SUMS,
	SQL_OVERFLOW,
	SQL_INSTANCE_PUT, SQL_INSTANCES,
	SQL_LOAD_TEST_ADD, SQL_LOAD_TESTS, SQL_LOAD_TEST_GET,
	SQL_STARTED_PUT, SQL_STARTED_GET,
	SQL_RUN_FIND, SQL_EXPIRE, SQL_SIZE, SQL_OLDEST,
	STORE_STATEMENTS
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[STORE_STATEMENTS];
	const char *owner;	/* of the view; NULL: all */
	struct buf blob;	/* scratch: an encoded histogram */
	bool is_group;		/* within store_group_begin .. end */
	bool is_broken;		/* something in the group failed */
};

/* The statement, ready to be bound; NULL: why. It is reset after use. */
sqlite3_stmt *store_sql(struct store *s, enum store_statement which,
    struct why *why);

/* Run a statement that gives one row or none. 1: it stands at the row, to be
 * read before store_reset; 0: no row; -1: why. */
int store_step(struct store *s, sqlite3_stmt *sql, struct why *why);
void store_reset(sqlite3_stmt *sql);

/* Go to the next row, while *status is 0. False at the end, after a reset;
 * *status is -1 then if it was a failure (why), else as it was. */
bool store_next(struct store *s, sqlite3_stmt *sql, int *status,
    struct why *why);

/* Run a statement that gives no rows, and reset it. 0, or -1 and why. */
int store_run_sql(struct store *s, sqlite3_stmt *sql, struct why *why);

/* The reason of SQLite's last failure. Returns -1. */
int store_why(struct store *s, struct why *why);

/* That failure as a result: STORE_FULL or STORE_FAILED. */
enum store_result store_failure(struct store *s);

/* BEGIN IMMEDIATE; COMMIT; ROLLBACK. In a group that is done for all, and what
 * is rolled back breaks it. */
int store_begin(struct store *s, struct why *why);
int store_commit(struct store *s, struct why *why);
void store_rollback(struct store *s);

/* Keep the slowest of a batch's requests that are slower than those which the
 * run has. 0, or -1 and why. */
int store_put_slow(struct store *s, const struct store_batch *b,
    struct why *why);

/* An empty span is an empty text, never NULL. */
void store_bind_text(sqlite3_stmt *sql, int i, struct span text);
struct span store_text(sqlite3_stmt *sql, int column);

/* The columns count .. hist of series and point, from the given one on.
 * store_get_sink fills an empty sink, whose type is set; -1: bad bytes;
 * store_get_numbers leaves its histogram away. */
void store_bind_sink(struct store *s, sqlite3_stmt *sql, int first,
    const struct sink *sink);
int store_get_sink(sqlite3_stmt *sql, int first, struct sink *sink);
void store_get_numbers(sqlite3_stmt *sql, int first, struct sink *sink);

#endif
