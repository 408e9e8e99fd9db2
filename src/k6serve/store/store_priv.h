/* SPDX-License-Identifier: MIT */
/* store_priv: what store's .c files share. */
#ifndef K6PIPE_K6SERVE_STORE_STORE_PRIV_H
#define K6PIPE_K6SERVE_STORE_STORE_PRIV_H

#include <sqlite3.h>
#include <sys/types.h>

#include "base/buf.h"
#include "data/sink.h"
#include "k6serve/store/store.h"

struct store_batch;

/* A place for a statement that was compiled, found by the address of its
 * text. */
struct store_statement {
	const char *text;	/* NULL: free */
	sqlite3_stmt *sql;
};

enum { STORE_STATEMENTS = 128 };	/* more than twice what there are */

/* Which file it was. */
struct store_file {
	dev_t device;
	ino_t inode;
	bool is_known;
};

/* Numbers of runs. */
struct store_runs {
	int64_t *runs;	/* owned */
	size_t n, cap;
};

struct store {
	sqlite3 *db;
	char id[40];		/* of the database */
	struct store_statement statements[STORE_STATEMENTS];
	struct buf blob;	/* scratch: an encoded histogram */
	bool keeps_hooks;	/* by store_hook_keep */
	bool is_group;		/* within store_group_begin .. end */
	bool is_broken;		/* something in the group failed */
	struct store_file main, log;	/* the database and its -wal */
	bool is_misplaced;	/* they are no longer there */
	bool (*is_unwanted)(void *ctx);	/* of store_watch; NULL: none */
	void *watch;			/* its ctx */
	struct store_runs touched;	/* for store_touched */
	struct store_runs removed;	/* whose data is still there, maybe */
	bool is_searched;	/* for such runs of former processes, too */
};

/* In a statement about a table with a column owner: does the owner that is
 * bound to p see the row? */
#define STORE_IS_SEEN_BY(p) "(" p " IS NULL OR owner = '' OR owner = " p ")"

/* The same of the run with the number that is bound to id. */
#define STORE_SEES(p, id) "EXISTS (SELECT 1 FROM run WHERE run.id = " id \
	" AND " STORE_IS_SEEN_BY(p) ")"

/* A statement whose parameters are bound one after the other. */
struct store_params {
	sqlite3_stmt *sql;	/* NULL: it cannot be compiled */
	int n;			/* how many are bound */
};

/* The statement of that text, a constant: compiled when it is first used, and
 * kept. sql NULL: why. It must be reset after use. */
struct store_params store_prepare(struct store *s, const char *text,
    struct why *why);

/* Bind the next parameter. Texts are borrowed until the reset; an empty span
 * is an empty text, never NULL. An owner is bound as STORE_IS_SEEN_BY wants
 * it; a sink takes all of STORE_SINK_COLUMNS. */
void store_bind_null(struct store_params *p);
void store_bind_int(struct store_params *p, int64_t value);
void store_bind_real(struct store_params *p, double value);
void store_bind_text(struct store_params *p, struct span text);
void store_bind_digest(struct store_params *p,
    const unsigned char digest[STORE_DIGEST]);
void store_bind_owner(struct store_params *p, const char *owner);
void store_bind_sink(struct store *s, struct store_params *p,
    const struct sink *sink);

/* Run a statement that gives one row or none. 1: it stands at the row, to be
 * read before store_reset; 0: no row; -1: why. */
int store_step(struct store *s, sqlite3_stmt *sql, struct why *why);
void store_reset(sqlite3_stmt *sql);

/* The number in the only column of the only row; 0: no row; -1: why. */
int64_t store_one_int(struct store *s, sqlite3_stmt *sql, struct why *why);

/* Go to the next row, while *status is 0. False at the end, after a reset;
 * *status is -1 then if it was a failure (why), else as it was. */
bool store_next(struct store *s, sqlite3_stmt *sql, int *status,
    struct why *why);

/* Run a statement that gives no rows, and reset it. 0, or -1 and why. */
int store_run_sql(struct store *s, sqlite3_stmt *sql, struct why *why);

/* The same for one that must change a run, or STORE_NO_RUN. */
enum store_result store_change(struct store *s, sqlite3_stmt *sql,
    struct why *why);

/* Read a text; NULL is an empty one. */
struct span store_text(sqlite3_stmt *sql, int column);

/* The columns of series and point that hold a sink, in order. store_get_sink
 * reads them, from the given one on, into an empty sink whose type is set; -1:
 * bad bytes. store_get_numbers leaves its histogram empty. */
#define STORE_SINK_COLUMNS \
	"count, nonzero, sum, min, max, last, last_ns, hist, exact"
int store_get_sink(sqlite3_stmt *sql, int first, struct sink *sink);
void store_get_numbers(sqlite3_stmt *sql, int first, struct sink *sink);

/* The reason of SQLite's last failure. Returns -1. */
int store_why(struct store *s, struct why *why);

/* That failure as a result: STORE_FULL, STORE_BUSY or STORE_FAILED. */
enum store_result store_failure(struct store *s);

/* Note the log of writes, once it is there: after the first transaction. */
void store_note_log(struct store *s);

/* BEGIN IMMEDIATE; COMMIT; ROLLBACK. In a group that is done for all, and what
 * is rolled back breaks it. */
int store_begin(struct store *s, struct why *why);
int store_commit(struct store *s, struct why *why);
void store_rollback(struct store *s);

/* End a transaction the way its work went; a failed one is undone. Results
 * that are neither done nor failed must come before anything is written. */
enum store_result store_conclude(struct store *s, enum store_result result,
    struct why *why);

/* What decides whether a run takes data. STORE_DONE or STORE_NO_RUN. */
struct store_state {
	int run_status;
	struct store_extent data;
};
enum store_result store_state_get(struct store *s, const char *owner,
    int64_t run, struct store_state *state, struct why *why);
bool store_state_is_open(const struct store_state *state);

/* A text of a client, of at most so many bytes: STORE_DONE, or STORE_TOO_MUCH
 * and why. */
enum store_result store_check_size(const char *what, struct span text,
    size_t most, struct why *why);

/* Note that the run's end is to be told, if that is so. 0, or -1: why. */
int store_hook_add(struct store *s, int64_t run, struct why *why);

/* Note a run that was made, fed or ended. */
void store_touch(struct store *s, int64_t run);

/* The run was removed, its data is for store_sweep. */
void store_leave_rest(struct store *s, int64_t run);

/* Did the batch's key come before? STORE_DONE: it did not; the same content
 * again is a duplicate, other content a conflict; STORE_WITHDRAWN. */
enum store_result store_key_check(struct store *s,
    const struct store_batch *b, struct why *why);

/* Note the key with the digest, NULL: as withdrawn. 0, or -1 and why. */
int store_key_note(struct store *s, const struct store_batch *b,
    struct why *why);

/* Keep the slowest of a batch's requests that are slower than those which the
 * run has. 0, or -1 and why. */
int store_slow_add(struct store *s, const struct store_batch *b,
    struct why *why);

#endif
