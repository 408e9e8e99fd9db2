/* SPDX-License-Identifier: MIT */
/*
 * engine: what the store asks of a database: sessions, transactions, and
 * statements in the SQL that all engines understand. SQLite is one,
 * PostgreSQL another.
 *
 * The SQL of the store keeps to what both have: parameters are ? or ?N,
 * conflicts are ON CONFLICT, numbers of new rows come by RETURNING. INDEXED BY
 * and a comment with FOR UPDATE are for the one engine and no part of the
 * meaning. What cannot be said so is one of the texts of the engine.
 */
#ifndef K6PIPE_K6SERVE_STORE_ENGINE_H
#define K6PIPE_K6SERVE_STORE_ENGINE_H

#include "k6serve/store/store.h"

struct engine_stmt;	/* an engine's own */

enum engine_type { ENGINE_INT, ENGINE_REAL, ENGINE_TEXT, ENGINE_BLOB };

enum engine_text {
	ENGINE_BEGIN,		/* a transaction that will write */
	ENGINE_BEGIN_READ,	/* one that reads, all at one moment */
	ENGINE_RUN_WAS,		/* is run ?1 one that was removed? */
	ENGINE_FIND_TAGSET,	/* the number of that of run ?1 and text ?2 */
	ENGINE_TAG_BYTES,	/* of all tag sets of run ?1 */
	ENGINE_SIZE,		/* bytes that the data takes */
	/* NULL: a database has one k6serve. See store_lease.h; ?1 is its name,
	 * ?2 the holder. */
	ENGINE_LEASE_HOLD,	/* for ?3 ms; its fence, if it was had */
	ENGINE_LEASE_CHECK,	/* has it the fence ?3? */
	ENGINE_LEASE_DROP,
	ENGINE_LAST_RUN,	/* the highest number that a run ever had */
	ENGINE_RAISE_RUN,	/* let new runs have numbers past ?1 */
	ENGINE_RAISE_LOAD_TEST,	/* likewise */
	/* The session will load for long: others must not take it for one that
	 * is paused. NULL: they never do. */
	ENGINE_COPY,
	/* Much was loaded: count anew what the plans of statements rest on.
	 * NULL: they rest on no counts. */
	ENGINE_ANALYZE,
	/* NULL: a commit that fails has changed nothing. Else the answer of one
	 * may be lost: it notes a mark ?2 of the session ?1, */
	ENGINE_MARK,
	ENGINE_MARKED,		/* which is found later, */
	ENGINE_MARKS_TRIM,	/* and forgotten after a day */
	/* ?1 numbers for new rows, ascending, a row for each: no row has them,
	 * nor gets them by itself. Within a transaction: in one that is undone
	 * they may be given again. */
	ENGINE_NEW_TAGSETS,
	ENGINE_NEW_SERIES,
	/* Many rows at once, by arrays; NULL: one by one is as quick. Each row
	 * found tells its place in the arrays, from 1. */
	ENGINE_FIND_TAGSETS,	/* of run ?1 and texts ?2 */
	ENGINE_FIND_SERIES,	/* of run ?1, metrics ?2, types ?3, tag sets
				   ?4 */
	/* Of series ?1 in their order, of the first one from behind second ?2
	 * on, by seconds: their place, second, and columns of a sink; at most
	 * ?3 rows. */
	ENGINE_WALK_POINTS,
	ENGINE_FIND_POINTS,	/* of series ?1, seconds ?2 */
	ENGINE_DELETE_POINTS,	/* likewise */
	ENGINE_UPDATE_SERIES,	/* numbers ?1, the columns of a sink from ?2 */
	/* Of run ?1, if the owner ?2 sees it, of series ?3, of seconds from ?4
	 * on, steps of ?5 seconds: the second that it begins with, the sum of
	 * its values below 1e290, that of the others / 2^64, its count. Steps
	 * of one series come together, values of one step are added in order.
	 * NULL: to add them up here is as quick. */
	ENGINE_STEPS,
	ENGINE_TEXTS
};

/* How a statement went on. */
enum engine_step { ENGINE_ROW, ENGINE_DONE, ENGINE_FAILED };

/* A value of a row that is loaded; bytes are borrowed. */
struct engine_value {
	enum engine_type type;
	bool is_null;
	int64_t number;
	double real;
	struct span bytes;
};

struct engine_load;	/* an engine's own */

struct engine {
	const char *const *texts;	/* ENGINE_TEXTS of them */

	/* Another session of the same database. NULL: why. */
	void *(*open_again)(void *session, struct why *why);
	void (*close)(void *session);

	/* Can a transaction begin? Can it end well? -1: why. It has ended. */
	int (*enter)(void *session, struct why *why);
	int (*leave)(void *session, struct why *why);
	void (*left)(void *session);
	bool (*is_in_transaction)(void *session);	/* a sound one */
	bool (*has_transaction)(void *session);		/* or a failed one */
	int (*check_schema)(void *session, struct why *why);
	bool (*is_misplaced)(const void *session);

	/* Let what works fail when is_unwanted is true; NULL: no longer. */
	void (*watch)(void *session, bool (*is_unwanted)(void *ctx),
	    void *ctx);

	/* From now on rather fail than wait for a server that is away. */
	void (*hurry)(void *session);
	/* Or than wait so many ms without any sign of it; 0: wait. */
	void (*limit)(void *session, int64_t silence_ms);
	/* From any thread, once the session is open: all that waits for the
	 * server fails, now and later. */
	void (*abandon)(void *session);

	/* Statements; NULL: why. The text outlives them. Places of parameters
	 * count from 1, columns from 0; texts and blobs are borrowed until the
	 * reset, and what is got until the next step. NULL reads as 0 or
	 * nothing. */
	struct engine_stmt *(*prepare)(void *session, const char *text,
	    struct why *why);
	void (*finalize)(struct engine_stmt *st);
	void (*bind_null)(struct engine_stmt *st, int at,
	    enum engine_type type);
	void (*bind_int)(struct engine_stmt *st, int at, int64_t value);
	void (*bind_real)(struct engine_stmt *st, int at, double value);
	void (*bind_bytes)(struct engine_stmt *st, int at,
	    enum engine_type type, struct span bytes);
	/* An array of n > 0 values of one type, each stride further on; NULL:
	 * the engine has none. */
	void (*bind_array)(struct engine_stmt *st, int at,
	    const struct engine_value *first, size_t stride, size_t n);
	enum engine_step (*step)(struct engine_stmt *st);
	void (*reset)(struct engine_stmt *st);
	bool (*is_null)(struct engine_stmt *st, int column);
	int64_t (*get_int)(struct engine_stmt *st, int column);
	double (*get_real)(struct engine_stmt *st, int column);
	struct span (*get_bytes)(struct engine_stmt *st, int column,
	    enum engine_type type);
	int64_t (*changes)(void *session);	/* of the last statement */

	/* Load many rows into "table(a, b)", within a transaction: the session
	 * is used for nothing else until load_end, which must be called once,
	 * and frees. Then, at the latest, a row that was bad is told. NULL, -1:
	 * why. */
	struct engine_load *(*load_begin)(void *session, const char *into,
	    int columns, struct why *why);
	int (*load_row)(struct engine_load *l, const struct engine_value *row,
	    struct why *why);
	int (*load_end)(struct engine_load *l, struct why *why);

	/* The last failure: its reason (-1), its kind, and whether it was that
	 * such a row is there. */
	int (*why)(void *session, struct why *why);
	enum store_result (*failure)(void *session);
	bool (*is_conflict)(void *session);
};

#endif
