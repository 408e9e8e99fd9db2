/* SPDX-License-Identifier: MIT */
/* store_priv: what store's .c files share. */
#ifndef K6PIPE_K6SERVE_STORE_STORE_PRIV_H
#define K6PIPE_K6SERVE_STORE_STORE_PRIV_H

#include "base/buf.h"
#include "data/sink.h"
#include "k6serve/store/engine.h"
#include "k6serve/store/store.h"
#include "k6serve/store/store_rolled.h"

struct store_batch;

/* A place for a statement that was compiled, found by the address of its
 * text. */
struct store_statement {
	const char *text;	/* NULL: free */
	struct engine_stmt *sql;
};

enum { STORE_STATEMENTS = 128 };	/* more than twice what there are */

/* What a store knows of its lease (store_lease.h). */
struct store_lease {
	const char *name;	/* NULL: it asked for none */
	char holder[128];
	int64_t fence;
	bool is_asked;		/* at the end of the transaction */
	bool is_lost;		/* that was found then */
};

/* The last commit of a store, where its answer may be lost. */
struct store_mark {
	char session[33];	/* "": not yet chosen */
	int64_t n;
	bool is_cut;		/* as far as is known, it did not take place; */
	bool is_doubtful;	/* but that is not certain */
};

/* Numbers of runs. */
struct store_runs {
	int64_t *runs;	/* owned */
	size_t n, cap;
};

struct store {
	const struct engine *engine;
	void *session;		/* of the engine, for one thread */
	char id[40];		/* of the database */
	struct store_statement statements[STORE_STATEMENTS];
	struct buf blob;	/* scratch: an encoded histogram */
	bool keeps_hooks;	/* by store_hook_keep */
	bool is_group;		/* within store_group_begin .. end */
	bool is_broken;		/* something in the group failed */
	struct store_runs touched;	/* for store_touched */
	struct store_runs removed;	/* whose data is still there, maybe */
	bool is_searched;	/* for such runs of former processes, too */
	bool looks_up_all;	/* a point was there that none expected */
	_Atomic bool is_abandoned;	/* by store_abandon */
	struct store_lease lease;
	struct store_mark mark;
};

/* In a statement about a table with a column owner: does the owner that is
 * bound to p see the row? */
#define STORE_IS_SEEN_BY(p) "(" p " IS NULL OR owner = '' OR owner = " p ")"

/* The same of the run with the number that is bound to id. */
#define STORE_SEES(p, id) "EXISTS (SELECT 1 FROM run WHERE run.id = " id \
	" AND " STORE_IS_SEEN_BY(p) ")"

/* A statement whose parameters are bound one after the other. */
struct store_stmt {
	struct store *s;
	struct engine_stmt *sql;	/* NULL: it cannot be compiled */
	int n;				/* how many are bound */
};

/* The statement of that text, a constant: compiled when it is first used, and
 * kept. sql NULL: why. It must be reset after use. */
struct store_stmt store_prepare(struct store *s, const char *text,
    struct why *why);

/* Bind the next parameter. Texts are borrowed until the reset; an empty span
 * is an empty text, never NULL. An owner is bound as STORE_IS_SEEN_BY wants
 * it; a sink takes all of STORE_SINK_COLUMNS. */
void store_bind_null(struct store_stmt *p, enum engine_type type);
void store_bind_int(struct store_stmt *p, int64_t value);
void store_bind_real(struct store_stmt *p, double value);
void store_bind_text(struct store_stmt *p, struct span text);
void store_bind_digest(struct store_stmt *p,
    const unsigned char digest[STORE_DIGEST]);
void store_bind_owner(struct store_stmt *p, const char *owner);
void store_bind_value(struct store_stmt *p, const struct engine_value *v);
void store_bind_sink(struct store_stmt *p, int64_t second,
    const struct sink *sink);

void store_bind_array(struct store_stmt *p, const struct engine_value *first,
    size_t stride, size_t n);

/* Run a statement that gives one row or none. 1: it stands at the row, to be
 * read before store_reset; 0: no row; -1: why. */
int store_step(struct store_stmt *p, struct why *why);
void store_reset(struct store_stmt *p);

/* The number in the only column of the only row; 0: no row; -1: why. */
int64_t store_one_int(struct store_stmt *p, struct why *why);

/* Go to the next row, while *status is 0. False at the end, after a reset;
 * *status is -1 then if it was a failure (why), else as it was. */
bool store_next(struct store_stmt *p, int *status, struct why *why);

/* Run a statement that gives no rows, and reset it. 0, or -1 and why. */
int store_run_sql(struct store_stmt *p, struct why *why);

/* The same for a text without parameters. */
int store_run_text(struct store *s, const char *text, struct why *why);

/* The same for one that must change a run, or STORE_NO_RUN. */
enum store_result store_change(struct store_stmt *p, struct why *why);

/* How many rows the last statement changed. */
int64_t store_changes(struct store *s);

/* Read a column of the row; NULL is 0, or empty. What has bytes is good until
 * the next row or the reset; a text has a NUL behind it. */
bool store_is_null(struct store_stmt *p, int column);
int64_t store_get_int(struct store_stmt *p, int column);
double store_get_real(struct store_stmt *p, int column);
struct span store_get_text(struct store_stmt *p, int column);
struct span store_get_blob(struct store_stmt *p, int column);

/* The place in arrays of n values that a row tells in its first column, from 0;
 * -1: why. */
int64_t store_get_place(struct store_stmt *p, size_t n, struct why *why);

/* The digest in a column; NULL: there is none. */
const unsigned char *store_get_digest(struct store_stmt *p, int column);

/* The columns of series and point that hold a sink, in order; second: that of
 * the point, 0 for a series. store_get_sink reads them, from the given one on,
 * into an empty sink whose type is set; -1: bad bytes, and why says so.
 * store_get_numbers leaves its histogram empty. */
#define STORE_SINK_COLUMNS \
	"count, nonzero, sum, min, max, last, last_ns, hist, exact"
int store_get_sink(struct store_stmt *p, int first, int64_t second,
    struct sink *sink, struct why *why);
void store_get_numbers(struct store_stmt *p, int first, int64_t second,
    struct sink *sink);

/* These columns as values. Histograms are appended to blob; when all are there,
 * values_end lets a row's point into it. */
enum { STORE_SINK_VALUES = 9 };
void store_sink_values(const struct sink *sink, int64_t second,
    struct engine_value v[STORE_SINK_VALUES], struct buf *blob);
void store_sink_values_end(struct engine_value v[STORE_SINK_VALUES],
    const struct buf *blob);

static inline struct engine_value
store_int_value(int64_t n)
{
	return (struct engine_value){ .type = ENGINE_INT, .number = n };
}

static inline struct engine_value
store_text_value(struct span text)
{
	return (struct engine_value){ .type = ENGINE_TEXT, .bytes = text };
}

/* The last failure as a result: STORE_FULL, STORE_BUSY, STORE_FAILED or,
 * if the database does not take what a client sent, STORE_TOO_MUCH. */
enum store_result store_failure(struct store *s);

/* Begin a transaction; COMMIT; ROLLBACK. In a group that is done for all, and
 * what is rolled back breaks it. */
int store_begin(struct store *s, struct why *why);
int store_commit(struct store *s, struct why *why);
void store_rollback(struct store *s);

/* Note the mark of the transaction; after a commit that failed: did it take
 * place all the same? 0, or -1 and why. */
int store_mark_put(struct store *s, struct why *why);
int store_mark_find(struct store *s, struct why *why);

/* Forget those of sessions that ended long ago. */
void store_marks_trim(struct store *s);

/* End a transaction the way its work went; a failed one is undone. Results
 * that are neither done nor failed must come before anything is written. */
enum store_result store_conclude(struct store *s, enum store_result result,
    struct why *why);

/* What decides whether a run takes data, and where it goes. STORE_DONE or
 * STORE_NO_RUN. */
struct store_state {
	int run_status;
	struct store_extent data;
	struct store_rolled rolled;
};
enum store_result store_state_get(struct store *s, const char *owner,
    int64_t run, struct store_state *state, struct why *why);
/* The same, and within the transaction nobody else changes the run. */
enum store_result store_state_lock(struct store *s, const char *owner,
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

/* Note the key with the digest, NULL: as withdrawn. STORE_DONE, a failure, or
 * what store_key_check found if it came in meanwhile. */
enum store_result store_key_note(struct store *s, const struct store_batch *b,
    struct why *why);

/* Keep the slowest of a batch's requests that are slower than those which the
 * run has. 0, or -1 and why. */
int store_slow_add(struct store *s, const struct store_batch *b,
    struct why *why);

#endif
