/* SPDX-License-Identifier: MIT */
#include "k6serve/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "k6serve/store/store_priv.h"

enum {
	SCHEMA_VERSION = 5,
	APPLICATION_ID = 0x6b367372,	/* "k6sr", at byte 68 of the file */
	HEADER = 100,			/* bytes; sqlite.org/fileformat.html */
	AT_VERSION = 60,
	AT_APPLICATION = 68,
	BUSY_MS = 5000,
};

static const char *const sql_text[STORE_STATEMENTS] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_TOKEN_ADD] = "INSERT INTO token(name, hash, created_ns, owner)"
	    " VALUES(?, ?, ?, ?)",
	[SQL_TOKEN_REMOVE] = "DELETE FROM token WHERE name = ?",
	[SQL_TOKENS] = "SELECT name, hash, created_ns, owner FROM token"
	    " ORDER BY name",
	[SQL_RUN_ADD] = "INSERT INTO run(create_key, name, project, vus,"
	    " planned_s, thresholds, results, run_status, result_status,"
	    " is_late, created_ns, seen_ns, ended_ns, first_ns, last_ns,"
	    " step_s, requests, points, version, agent, owner) VALUES(?, ?,"
	    " ?, ?, ?, ?, '{}', ?, 0, 0, ?, ?, 0, 0, 0, 1, 0, 0, 1, ?, ?)",
	[SQL_RUN_OF_KEY] = "SELECT id FROM run WHERE create_key = ?",
	[SQL_RUN_END] = "UPDATE run SET run_status = ?2, result_status = ?3,"
	    " results = ?4, ended_ns = ?5, version = version + 1,"
	    " created_ns = coalesce(nullif(?6, 0), created_ns)"
	    " WHERE id = ?1",
	[SQL_RUN_STATE] = "SELECT run_status, first_ns, last_ns FROM run"
	    " WHERE id = ?",
	[SQL_RUN_BUMP] = "UPDATE run SET seen_ns = ?2, first_ns = ?3,"
	    " last_ns = ?4, step_s = max(step_s, ?5),"
	    " requests = requests + ?6, points = points + ?7,"
	    " is_late = max(is_late, ?8), run_status = 2,"
	    " version = version + 1"
	    " WHERE id = ?1",
	[SQL_INSTANCE_PUT] = "INSERT INTO instance(run, name, run_status,"
	    " result_status, results, seen_ns) VALUES(?, ?, ?, ?, ?, ?)"
	    " ON CONFLICT(run, name) DO UPDATE SET run_status ="
	    " excluded.run_status, result_status = excluded.result_status,"
	    " results = excluded.results, seen_ns = excluded.seen_ns",
	[SQL_INSTANCES] = "SELECT name, run_status, result_status, results,"
	    " seen_ns FROM instance WHERE run = ? ORDER BY name",
	[SQL_BATCH_FIND] = "SELECT digest FROM batch"
	    " WHERE run = ? AND key = ?",
	[SQL_BATCH_ADD] = "INSERT INTO batch(run, key, digest)"
	    " VALUES(?, ?, ?)",
	[SQL_TAGS_FIND] = "SELECT id FROM tagset WHERE run = ? AND json = ?",
	[SQL_TAGS_ADD] = "INSERT INTO tagset(run, json) VALUES(?, ?)",
	[SQL_SERIES_FIND] = "SELECT id, count, nonzero, sum, min, max, last,"
	    " last_ns, hist FROM series WHERE run = ? AND metric = ?"
	    " AND type = ? AND tagset = ?",
	[SQL_SERIES_ADD] = "INSERT INTO series(run, metric, type, tagset,"
	    " count, nonzero, sum, min, max, last, last_ns)"
	    " VALUES(?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0)",
	[SQL_SERIES_SET] = "UPDATE series SET count = ?2, nonzero = ?3,"
	    " sum = ?4, min = ?5, max = ?6, last = ?7, last_ns = ?8,"
	    " hist = ?9 WHERE id = ?1",
	[SQL_SERIES_COUNT] = "SELECT count(*) FROM series WHERE run = ?1"
	    " AND tagset != 0 AND tagset != ?2",
	[SQL_POINT_FIND] = "SELECT count, nonzero, sum, min, max, last,"
	    " last_ns, hist FROM point WHERE series = ? AND second = ?",
#define INTO_POINT "INTO point(series, second, count, nonzero, sum, min," \
	" max, last, last_ns, hist) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	[SQL_POINT_ADD] = "INSERT OR IGNORE " INTO_POINT,
	[SQL_POINT_SET] = "INSERT OR REPLACE " INTO_POINT,
	[SQL_RUN_NOTE] = "UPDATE run SET note = ?2, version = version + 1"
	    " WHERE id = ?1",
	[SQL_RUN_REMOVE] = "DELETE FROM run WHERE id = ?",
	[SQL_SLOW_BOUND] = "SELECT count(*), coalesce(min(duration_ns), 0)"
	    " FROM slow WHERE run = ?",
	[SQL_SLOW_ADD] = "INSERT INTO slow(run, time_ns, duration_ns,"
	    " blocked_ns, connecting_ns, tls_handshaking_ns, sending_ns,"
	    " waiting_ns, receiving_ns, failed, tags)"
	    " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_SLOW_TRIM] = "DELETE FROM slow WHERE id IN (SELECT id FROM slow"
	    " WHERE run = ?1 ORDER BY duration_ns DESC, id"
	    " LIMIT -1 OFFSET ?2)",
	[SQL_SLOW_LIST] = "SELECT time_ns, failed, tags, duration_ns,"
	    " blocked_ns, connecting_ns, tls_handshaking_ns, sending_ns,"
	    " waiting_ns, receiving_ns FROM slow WHERE run = ?"
	    " ORDER BY duration_ns DESC, id",
#define RUN_COLUMNS "id, name, thresholds, results, note, agent, owner, project, vus," \
	" planned_s, created_ns, seen_ns, ended_ns, first_ns, last_ns," \
	" step_s, requests, points, version, run_status, result_status," \
	" is_late FROM run"
	[SQL_RUN_GET] = "SELECT " RUN_COLUMNS " WHERE id = ?1",
#define OF_VIEW "(?3 IS NULL OR owner = '' OR owner = ?3)"
	[SQL_RUN_LIST] = "SELECT " RUN_COLUMNS " WHERE " OF_VIEW
	    " ORDER BY id DESC LIMIT ?2",
	[SQL_RUN_FIND] = "SELECT 1 FROM run WHERE id = ?1 AND " OF_VIEW,
	[SQL_LOAD_TEST_ADD] = "INSERT INTO load_test(owner, project, name,"
	    " created_ns) VALUES(?, ?, ?, ?)",
	[SQL_LOAD_TESTS] = "SELECT id, name, owner, created_ns FROM load_test"
	    " WHERE project = ?1 AND (?2 IS NULL OR name = ?2) AND " OF_VIEW
	    " ORDER BY id DESC LIMIT 1000",
	[SQL_LOAD_TEST_GET] = "SELECT name, project FROM load_test"
	    " WHERE id = ?1 AND " OF_VIEW,
	[SQL_STARTED_PUT] = "INSERT OR REPLACE INTO started(run, load_test,"
	    " hash) VALUES(?, ?, ?)",
	[SQL_STARTED_GET] = "SELECT s.load_test, s.hash, r.owner"
	    " FROM started s JOIN run r ON r.id = s.run WHERE s.run = ?",
	[SQL_EXPIRE] = "UPDATE run SET run_status = 4, version = version + 1"
	    " WHERE run_status = 2 AND seen_ns < ?",
	[SQL_SIZE] = "SELECT (page_count - freelist_count) * page_size"
	    " FROM pragma_page_count, pragma_freelist_count,"
	    " pragma_page_size",
	[SQL_OLDEST] = "SELECT id FROM run WHERE run_status != 2"
	    " AND seen_ns < ? ORDER BY seen_ns LIMIT 1",
#define SERIES_COLUMNS "SELECT s.metric, s.type, t.json, 0, s.count," \
	" s.nonzero, s.sum, s.min, s.max, s.last, s.last_ns, s.hist, s.id" \
	" FROM"
#define POINT_COLUMNS "SELECT s.metric, s.type, t.json, p.second," \
	" p.count, p.nonzero, p.sum, p.min, p.max, p.last, p.last_ns," \
	" p.hist, s.id FROM"
#define TAGS " LEFT JOIN tagset t ON t.id = s.tagset"
#define POINTS " JOIN point p ON p.series = s.id"
#define OF_QUERY " WHERE s.run = ?1 AND s.metric = ?2"
	[SQL_SERIES_WHOLE] = SERIES_COLUMNS " series s INDEXED BY whole" TAGS
	    " WHERE s.run = ?1 AND (?2 IS NULL OR s.metric = ?2)"
	    " AND s.tagset = 0 ORDER BY s.metric",
	[SQL_SERIES_EACH] = SERIES_COLUMNS " series s" TAGS
	    OF_QUERY " AND s.tagset != 0 ORDER BY s.tagset",
	[SQL_POINTS_WHOLE] = POINT_COLUMNS " series s INDEXED BY whole" POINTS
	    TAGS OF_QUERY " AND s.tagset = 0 ORDER BY p.second",
	[SQL_POINTS_EACH] = POINT_COLUMNS " series s" POINTS
	    TAGS OF_QUERY " AND s.tagset != 0 ORDER BY p.second",
	[SQL_POINTS_OF] = "SELECT '', 0, '', second, count, nonzero, sum,"
	    " min, max, last, last_ns, hist, series FROM point"
	    " WHERE series = ? ORDER BY second",
	[SQL_SUMS] = "SELECT second, sum, count FROM point WHERE series = ?"
	    " ORDER BY second",
	/* from the few wholes to their series: a run may have many others */
	[SQL_OVERFLOW] = "SELECT total(s.count) FROM tagset t"
	    " CROSS JOIN series w INDEXED BY whole CROSS JOIN series s"
	    " WHERE t.run = ?1 AND t.json = ?2"
	    " AND w.run = ?1 AND w.tagset = 0 AND s.run = ?1"
	    " AND s.metric = w.metric AND s.type = w.type"
	    " AND s.tagset = t.id",
};

int
store_why(struct store *s, struct why *why)
{
	return why_set(why, "%s", sqlite3_errmsg(s->db));
}

enum store_result
store_failure(struct store *s)
{
	int code = sqlite3_errcode(s->db) & 0xff;

	return code == SQLITE_FULL || code == SQLITE_IOERR ||
	    code == SQLITE_READONLY ? STORE_FULL : STORE_FAILED;
}

sqlite3_stmt *
store_sql(struct store *s, enum store_statement which, struct why *why)
{
	sqlite3_stmt **sql = &s->statements[which];

	if (*sql == NULL && sqlite3_prepare_v3(s->db, sql_text[which], -1,
	    SQLITE_PREPARE_PERSISTENT, sql, NULL) != SQLITE_OK)
		(void)store_why(s, why);
	return *sql;
}

int
store_step(struct store *s, sqlite3_stmt *sql, struct why *why)
{
	int step = sqlite3_step(sql);

	if (step == SQLITE_ROW)
		return 1;
	if (step == SQLITE_DONE)
		return 0;
	return store_why(s, why);
}

void
store_reset(sqlite3_stmt *sql)
{
	(void)sqlite3_reset(sql);
	(void)sqlite3_clear_bindings(sql);
}

bool
store_next(struct store *s, sqlite3_stmt *sql, int *status, struct why *why)
{
	int step = *status == 0 ? sqlite3_step(sql) : SQLITE_DONE;

	if (step == SQLITE_ROW)
		return true;
	if (step != SQLITE_DONE)
		*status = store_why(s, why);
	store_reset(sql);
	return false;
}

int
store_run_sql(struct store *s, sqlite3_stmt *sql, struct why *why)
{
	int status;

	if (sql == NULL)
		return -1;
	status = sqlite3_step(sql) == SQLITE_DONE ? 0 : store_why(s, why);
	(void)sqlite3_reset(sql);
	(void)sqlite3_clear_bindings(sql);
	return status;
}

/* In a group SQLite may have ended the transaction, on a full disk say. */
int
store_begin(struct store *s, struct why *why)
{
	if (!s->is_group)
		return store_run_sql(s, store_sql(s, SQL_BEGIN, why), why);
	s->is_broken |= sqlite3_get_autocommit(s->db) != 0;
	return s->is_broken ? why_set(why, "the transaction failed") : 0;
}

int
store_commit(struct store *s, struct why *why)
{
	if (s->is_group)
		return 0;
	return store_run_sql(s, store_sql(s, SQL_COMMIT, why), why);
}

void
store_rollback(struct store *s)
{
	if (s->is_group)
		s->is_broken = true;
	else if (!sqlite3_get_autocommit(s->db))
		(void)store_run_sql(s, store_sql(s, SQL_ROLLBACK, NULL), NULL);
}

int
store_group_begin(struct store *s, struct why *why)
{
	if (store_begin(s, why) < 0)
		return -1;
	s->is_group = true;
	s->is_broken = false;
	return 0;
}

int
store_group_end(struct store *s, struct why *why)
{
	bool is_broken = s->is_broken || sqlite3_get_autocommit(s->db) != 0;

	s->is_group = false;
	if (!is_broken && store_commit(s, why) == 0)
		return 0;
	store_rollback(s);
	return is_broken ? why_set(why, "the transaction failed") : -1;
}

void
store_bind_text(sqlite3_stmt *sql, int i, struct span text)
{
	(void)sqlite3_bind_text64(sql, i, text.p != NULL ? text.p : "",
	    text.n, SQLITE_STATIC, SQLITE_UTF8);
}

struct span
store_text(sqlite3_stmt *sql, int column)
{
	const char *p = (const char *)sqlite3_column_text(sql, column);

	return (struct span){ p != NULL ? p : "",
	    p != NULL ? (size_t)sqlite3_column_bytes(sql, column) : 0 };
}

void
store_bind_sink(struct store *s, sqlite3_stmt *sql, int first,
    const struct sink *sink)
{
	(void)sqlite3_bind_int64(sql, first, (int64_t)sink->count);
	(void)sqlite3_bind_int64(sql, first + 1, (int64_t)sink->nonzero);
	(void)sqlite3_bind_double(sql, first + 2, sink->sum);
	(void)sqlite3_bind_double(sql, first + 3, sink->min);
	(void)sqlite3_bind_double(sql, first + 4, sink->max);
	(void)sqlite3_bind_double(sql, first + 5, sink->last);
	(void)sqlite3_bind_int64(sql, first + 6, sink->last_ns);
	if (sink->type != METRIC_TREND)
		return;
	buf_reset(&s->blob);
	hist_encode(&sink->hist, &s->blob);
	(void)sqlite3_bind_blob64(sql, first + 7, s->blob.p, s->blob.n,
	    SQLITE_STATIC);
}

void
store_get_numbers(sqlite3_stmt *sql, int first, struct sink *sink)
{
	sink->count = (uint64_t)sqlite3_column_int64(sql, first);
	sink->nonzero = (uint64_t)sqlite3_column_int64(sql, first + 1);
	sink->sum = sqlite3_column_double(sql, first + 2);
	sink->min = sqlite3_column_double(sql, first + 3);
	sink->max = sqlite3_column_double(sql, first + 4);
	sink->last = sqlite3_column_double(sql, first + 5);
	sink->last_ns = sqlite3_column_int64(sql, first + 6);
}

int
store_get_sink(sqlite3_stmt *sql, int first, struct sink *sink)
{
	const void *blob = sqlite3_column_blob(sql, first + 7);

	store_get_numbers(sql, first, sink);
	if (blob == NULL)
		return 0;
	return hist_decode(&sink->hist, blob,
	    (size_t)sqlite3_column_bytes(sql, first + 7));
}

static uint32_t
big_endian(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

/* Look at the file before SQLite does, which might write to it. The file is
 * made here if need be, so that nobody else can ever read it. */
static int
check_file(const char *path, struct why *why)
{
	unsigned char head[HEADER];
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ssize_t n;

	if (fd < 0)
		return why_set(why, "%s", strerror(errno));
	n = pread(fd, head, sizeof(head), 0);
	(void)close(fd);
	if (n < 0)
		return why_set(why, "%s", strerror(errno));
	if (n == 0)
		return 0;
	if (n < HEADER || memcmp(head, "SQLite format 3", 16) != 0)
		return why_set(why, "is not a database");
	if (big_endian(head + AT_APPLICATION) != APPLICATION_ID)
		return why_set(why, "is a database of another program");
	if (big_endian(head + AT_VERSION) > SCHEMA_VERSION)
		return why_set(why, "was written by a newer k6serve "
		    "(schema %u, this one knows %d)",
		    big_endian(head + AT_VERSION), SCHEMA_VERSION);
	return 0;
}

static int
execute(struct store *s, const char *sql, struct why *why)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK
	    ? 0 : store_why(s, why);
}

static int
version_of(struct store *s, struct why *why)
{
	sqlite3_stmt *sql = NULL;
	int version = -1;

	if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &sql,
	    NULL) == SQLITE_OK && sqlite3_step(sql) == SQLITE_ROW)
		version = sqlite3_column_int(sql, 0);
	else
		(void)store_why(s, why);
	(void)sqlite3_finalize(sql);
	return version;
}

/* Run what the schema has behind "-- version N" of the next version on. */
static int
execute_from(struct store *s, int version, struct span schema,
    struct why *why)
{
	char *text = xstrndup(schema.p, schema.n), mark[32];
	const char *from;
	int status;

	(void)snprintf(mark, sizeof(mark), "\n-- version %d", version + 1);
	from = strstr(text, mark);
	status = from == NULL ? why_set(why, "the schema has no version %d",
	    version + 1) : execute(s, from, why);
	free(text);
	return status;
}

/* Bring the tables to this version, inside a transaction. */
static int
migrate(struct store *s, struct span schema, struct why *why)
{
	int version = version_of(s, why);
	char pragmas[80];

	if (version < 0)
		return -1;
	if (version > SCHEMA_VERSION)
		return why_set(why, "was written by a newer k6serve");
	if (version == SCHEMA_VERSION)
		return 0;
	if (execute_from(s, version, schema, why) < 0)
		return -1;
	(void)snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id = %d;"
	    "PRAGMA user_version = %d", APPLICATION_ID, SCHEMA_VERSION);
	return execute(s, pragmas, why);
}

/* WAL only after the first transaction: so the main file's header always
 * tells whose it is. */
static int
prepare(struct store *s, const struct span *schema, struct why *why)
{
	(void)sqlite3_busy_timeout(s->db, BUSY_MS);
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0,
	    NULL);
	/* else each change of a bound tagset has its statement compiled
	 * anew, in case the partial index fits */
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_QPSG, 1, NULL);
	if (schema != NULL && store_begin(s, why) < 0)
		return -1;
	if (schema != NULL && (migrate(s, *schema, why) < 0 ||
	    store_commit(s, why) < 0)) {
		store_rollback(s);
		return -1;
	}
	return execute(s, "PRAGMA journal_mode = WAL;"
	    "PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16384;"
	    "PRAGMA journal_size_limit = 16777216;"
	    "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON", why);
}

/* No schema: the tables are there. */
static struct store *
open_file(const char *path, const struct span *schema, struct why *why)
{
	struct store *s = xcalloc(1, sizeof(*s));
	int status = 0;

	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL) != SQLITE_OK)
		status = store_why(s, why);
	if (status == 0)
		status = prepare(s, schema, why);
	if (status == 0)
		return s;
	store_close(s);
	return NULL;
}

struct store *
store_open(const char *path, struct span schema, struct why *why)
{
	if (check_file(path, why) < 0)
		return NULL;
	return open_file(path, &schema, why);
}

struct store *
store_open_again(const struct store *s, struct why *why)
{
	return open_file(sqlite3_db_filename(s->db, "main"), NULL, why);
}

void
store_close(struct store *s)
{
	int i;

	if (s == NULL)
		return;
	for (i = 0; i < STORE_STATEMENTS; i++)
		(void)sqlite3_finalize(s->statements[i]);
	(void)sqlite3_close(s->db);
	buf_release(&s->blob);
	free(s);
}

int
store_token_add(struct store *s, const struct store_token *t,
    struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_TOKEN_ADD, why);
	int status;

	if (sql == NULL)
		return -1;
	store_bind_text(sql, 1, span_of(t->name));
	(void)sqlite3_bind_blob(sql, 2, t->hash, STORE_DIGEST, SQLITE_STATIC);
	(void)sqlite3_bind_int64(sql, 3, t->created_ns);
	store_bind_text(sql, 4, span_of(t->owner));
	status = store_run_sql(s, sql, why);
	if ((sqlite3_errcode(s->db) & 0xff) == SQLITE_CONSTRAINT)
		return why_set(why, "a token of that name exists");
	return status;
}

int
store_token_remove(struct store *s, const char *name, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_TOKEN_REMOVE, why);

	if (sql == NULL)
		return -1;
	store_bind_text(sql, 1, span_of(name));
	if (store_run_sql(s, sql, why) < 0)
		return -1;
	if (sqlite3_changes(s->db) == 0)
		return why_set(why, "no token has that name");
	return 0;
}

int
store_tokens(struct store *s, store_token_each *each, void *ctx,
    struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_TOKENS, why);
	struct store_token t;
	int status = 0;

	if (sql == NULL)
		return -1;
	while (store_next(s, sql, &status, why)) {
		t.name = store_text(sql, 0).p;
		t.hash = sqlite3_column_blob(sql, 1);
		t.created_ns = sqlite3_column_int64(sql, 2);
		t.owner = store_text(sql, 3).p;
		if (sqlite3_column_bytes(sql, 1) == STORE_DIGEST)
			status = each(ctx, &t);
	}
	return status;
}
