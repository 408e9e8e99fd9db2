/* SPDX-License-Identifier: MIT */
/* SQLite as an engine: a statement of the store is one of SQLite's. */
#include "k6serve/store/engine_sqlite.h"

#include "k6serve/store/engine_sqlite_priv.h"

enum { WATCH_STEPS = 5000 };	/* of SQLite, about 1 ms */

int
sqlite_why(struct sqlite_session *q, struct why *why)
{
	return why_set(why, "%s", sqlite3_errmsg(q->db));
}

static sqlite3_stmt *
sql_of(struct engine_stmt *st)
{
	return (sqlite3_stmt *)st;
}

static int
enter(void *session, struct why *why)
{
	return sqlite_check_place(session, why);
}

static void
left(void *session)
{
	sqlite_note_log(session);
}

static bool
is_in_transaction(void *session)
{
	const struct sqlite_session *q = session;

	return sqlite3_get_autocommit(q->db) == 0;
}

static int
check_schema(void *session, struct why *why)
{
	return sqlite_check_schema(session, why);
}

static bool
is_misplaced(const void *session)
{
	const struct sqlite_session *q = session;

	return q->is_misplaced;
}

static int
ask_watch(void *ctx)
{
	const struct sqlite_session *q = ctx;

	return q->is_unwanted(q->watch);
}

static void
watch(void *session, bool (*is_unwanted)(void *ctx), void *ctx)
{
	struct sqlite_session *q = session;

	q->is_unwanted = is_unwanted;
	q->watch = ctx;
	sqlite3_progress_handler(q->db, WATCH_STEPS, is_unwanted != NULL ?
	    ask_watch : NULL, q);
}

/* There is no server to wait for: a session can neither hurry nor be abandoned,
 * as it waits for disks alone. */
static void
do_nothing(void *session)
{
	(void)session;
}

static void
limit(void *session, int64_t silence_ms)
{
	(void)session;
	(void)silence_ms;
}

static struct engine_stmt *
prepare(void *session, const char *text, struct why *why)
{
	struct sqlite_session *q = session;
	sqlite3_stmt *sql = NULL;

	if (sqlite3_prepare_v3(q->db, text, -1, SQLITE_PREPARE_PERSISTENT,
	    &sql, NULL) != SQLITE_OK)
		(void)sqlite_why(q, why);
	return (struct engine_stmt *)sql;
}

static void
finalize(struct engine_stmt *st)
{
	(void)sqlite3_finalize(sql_of(st));
}

static void
bind_null(struct engine_stmt *st, int at, enum engine_type type)
{
	(void)type;
	(void)sqlite3_bind_null(sql_of(st), at);
}

static void
bind_int(struct engine_stmt *st, int at, int64_t value)
{
	(void)sqlite3_bind_int64(sql_of(st), at, value);
}

static void
bind_real(struct engine_stmt *st, int at, double value)
{
	(void)sqlite3_bind_double(sql_of(st), at, value);
}

static void
bind_bytes(struct engine_stmt *st, int at, enum engine_type type,
    struct span bytes)
{
	const char *p = bytes.p != NULL ? bytes.p : "";

	if (type == ENGINE_BLOB)
		(void)sqlite3_bind_blob64(sql_of(st), at, p, bytes.n,
		    SQLITE_STATIC);
	else
		(void)sqlite3_bind_text64(sql_of(st), at, p, bytes.n,
		    SQLITE_STATIC, SQLITE_UTF8);
}

static enum engine_step
step(struct engine_stmt *st)
{
	int status = sqlite3_step(sql_of(st));

	return status == SQLITE_ROW ? ENGINE_ROW :
	    status == SQLITE_DONE ? ENGINE_DONE : ENGINE_FAILED;
}

static void
reset(struct engine_stmt *st)
{
	(void)sqlite3_reset(sql_of(st));
	(void)sqlite3_clear_bindings(sql_of(st));
}

static bool
is_null(struct engine_stmt *st, int column)
{
	return sqlite3_column_type(sql_of(st), column) == SQLITE_NULL;
}

static int64_t
get_int(struct engine_stmt *st, int column)
{
	return sqlite3_column_int64(sql_of(st), column);
}

static double
get_real(struct engine_stmt *st, int column)
{
	return sqlite3_column_double(sql_of(st), column);
}

static struct span
get_bytes(struct engine_stmt *st, int column, enum engine_type type)
{
	const void *p = type == ENGINE_BLOB ?
	    sqlite3_column_blob(sql_of(st), column) :
	    sqlite3_column_text(sql_of(st), column);

	return (struct span){ p, p != NULL ?
	    (size_t)sqlite3_column_bytes(sql_of(st), column) : 0 };
}

static int64_t
changes(void *session)
{
	const struct sqlite_session *q = session;

	return sqlite3_changes(q->db);
}

static int
tell_why(void *session, struct why *why)
{
	return sqlite_why(session, why);
}

static enum store_result
failure(void *session)
{
	const struct sqlite_session *q = session;
	int code = sqlite3_errcode(q->db) & 0xff;

	if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		return STORE_BUSY;
	return q->is_misplaced || code == SQLITE_FULL ||
	    code == SQLITE_IOERR || code == SQLITE_READONLY ? STORE_FULL
	    : STORE_FAILED;
}

static bool
is_conflict(void *session)
{
	const struct sqlite_session *q = session;

	return (sqlite3_errcode(q->db) & 0xff) == SQLITE_CONSTRAINT;
}

/* As SQLite itself numbers rows. */
#define NEW_NUMBERS(table) "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL" \
	" SELECT i + 1 FROM n WHERE i < ?1) SELECT (SELECT coalesce(max(id)," \
	" 0) FROM " table ") + i FROM n"

static const char *const texts[ENGINE_TEXTS] = {
	[ENGINE_BEGIN] = "BEGIN IMMEDIATE",
	[ENGINE_BEGIN_READ] = "BEGIN",
	[ENGINE_RUN_WAS] = "SELECT seq >= ?1 AND"
	    " NOT EXISTS (SELECT 1 FROM run WHERE id = ?1)"
	    " FROM sqlite_sequence WHERE name = 'run'",
	[ENGINE_FIND_TAGSET] = "SELECT id FROM tagset"
	    " WHERE run = ?1 AND json = ?2",
	[ENGINE_TAG_BYTES] = "SELECT total(length(CAST(json AS BLOB)))"
	    " FROM tagset WHERE run = ?1",
	[ENGINE_SIZE] = "SELECT (page_count - freelist_count)"
	    " * page_size FROM pragma_page_count,"
	    " pragma_freelist_count, pragma_page_size",
	[ENGINE_LAST_RUN] = "SELECT seq FROM sqlite_sequence"
	    " WHERE name = 'run'",
	[ENGINE_RAISE_RUN] = "UPDATE sqlite_sequence SET seq = ?1"
	    " WHERE name = 'run' AND seq < ?1",
	[ENGINE_RAISE_LOAD_TEST] = "UPDATE sqlite_sequence SET"
	    " seq = ?1 WHERE name = 'load_test' AND seq < ?1",
	[ENGINE_NEW_TAGSETS] = NEW_NUMBERS("tagset"),
	[ENGINE_NEW_SERIES] = NEW_NUMBERS("series"),
};

const struct engine engine_sqlite = {
	.texts = texts,
	.open_again = sqlite_open_again, .close = sqlite_close,
	.enter = enter, .leave = enter, .left = left,
	.is_in_transaction = is_in_transaction,
	.has_transaction = is_in_transaction, .check_schema = check_schema,
	.is_misplaced = is_misplaced, .watch = watch,
	.hurry = do_nothing, .limit = limit, .abandon = do_nothing,
	.prepare = prepare, .finalize = finalize,
	.bind_null = bind_null, .bind_int = bind_int,
	.bind_real = bind_real, .bind_bytes = bind_bytes, .step = step,
	.reset = reset, .is_null = is_null, .get_int = get_int,
	.get_real = get_real, .get_bytes = get_bytes, .changes = changes,
	.load_begin = sqlite_load_begin, .load_row = sqlite_load_row,
	.load_end = sqlite_load_end,
	.why = tell_why, .failure = failure, .is_conflict = is_conflict,
};
