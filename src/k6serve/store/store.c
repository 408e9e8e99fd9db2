/* SPDX-License-Identifier: MIT */
/* The database file is opened and its tables made or migrated; transactions. */
#include "k6serve/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "k6serve/store/store_priv.h"

enum {
	SCHEMA_VERSION = 10,
	APPLICATION_ID = 0x6b367372,	/* "k6sr", at byte 68 of the file */
	HEADER = 100,			/* bytes; sqlite.org/fileformat.html */
	AT_VERSION = 60,
	AT_APPLICATION = 68,
	BUSY_MS = 5000,
	WATCH_STEPS = 5000,		/* of SQLite, about 1 ms */
};

static int
run_text(struct store *s, const char *text, struct why *why)
{
	return store_run_sql(s, store_prepare(s, text, why).sql, why);
}

/* In a group SQLite may have ended the transaction, on a full disk say. */
int
store_begin(struct store *s, struct why *why)
{
	if (!s->is_group)
		return store_check_place(s, why) < 0 ? -1
		    : run_text(s, "BEGIN IMMEDIATE", why);
	s->is_broken |= sqlite3_get_autocommit(s->db) != 0;
	return s->is_broken ? why_set(why, "the transaction failed") : 0;
}

int
store_commit(struct store *s, struct why *why)
{
	if (s->is_group)
		return 0;
	if (store_check_place(s, why) < 0 || run_text(s, "COMMIT", why) < 0)
		return -1;
	store_note_log(s);
	return 0;
}

void
store_rollback(struct store *s)
{
	if (s->is_group)
		s->is_broken = true;
	else if (!sqlite3_get_autocommit(s->db))
		(void)run_text(s, "ROLLBACK", NULL);
}

enum store_result
store_conclude(struct store *s, enum store_result result, struct why *why)
{
	bool has_failed = result == STORE_FULL || result == STORE_BUSY ||
	    result == STORE_FAILED;

	if (!has_failed && store_commit(s, why) < 0) {
		has_failed = true;
		result = store_failure(s);
	}
	if (has_failed)
		store_rollback(s);
	return result;
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
 * tells whose it is. Foreign keys would remove all of a run at once, which takes
 * seconds; store_sweep does it bit by bit. What is deleted is overwritten only
 * where that needs no write of its own. */
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
	    "PRAGMA secure_delete = FAST;"
	    "PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF", why);
}

/* 0, or -1 and why. */
static int
read_identity(struct store *s, struct why *why)
{
	struct store_params p = store_prepare(s, "SELECT id FROM identity",
	    why);
	int status;

	if (p.sql == NULL)
		return -1;
	status = store_step(s, p.sql, why);
	if (status > 0)
		(void)snprintf(s->id, sizeof(s->id), "%s",
		    store_text(p.sql, 0).p);
	store_reset(p.sql);
	return status == 0 ? why_set(why, "has no identity") :
	    status < 0 ? -1 : 0;
}

const char *
store_id(const struct store *s)
{
	return s->id;
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
		status = read_identity(s, why);
	if (status == 0)
		return s;
	store_close(s);
	return NULL;
}

struct store *
store_open(const char *path, struct span schema, struct why *why)
{
	/* SQLite's count of its memory has one lock for all threads: a reader
	 * that stands back would hold up those that write. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (check_file(path, why) < 0)
		return NULL;
	return open_file(path, &schema, why);
}

struct store *
store_open_again(const struct store *s, struct why *why)
{
	return open_file(sqlite3_db_filename(s->db, "main"), NULL, why);
}

static int
ask_watch(void *ctx)
{
	struct store *s = ctx;

	return s->is_unwanted(s->watch);
}

void
store_watch(struct store *s, bool (*is_unwanted)(void *ctx), void *ctx)
{
	s->is_unwanted = is_unwanted;
	s->watch = ctx;
	sqlite3_progress_handler(s->db, WATCH_STEPS, is_unwanted != NULL ?
	    ask_watch : NULL, s);
}

void
store_close(struct store *s)
{
	int i;

	if (s == NULL)
		return;
	for (i = 0; i < STORE_STATEMENTS; i++)
		(void)sqlite3_finalize(s->statements[i].sql);
	(void)sqlite3_close(s->db);
	buf_release(&s->blob);
	free(s->touched.runs);
	free(s->removed.runs);
	free(s);
}
