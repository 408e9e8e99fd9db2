/* SPDX-License-Identifier: MIT */
/* Opens the database file, and creates or migrates its tables. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "k6serve/store/engine_sqlite_priv.h"

enum {
	SCHEMA_VERSION = 15,
	APPLICATION_ID = 0x6b367372,	/* "k6sr", at byte 68 of the file */
	HEADER = 100,			/* bytes; sqlite.org/fileformat.html */
	AT_VERSION = 60,
	AT_APPLICATION = 68,
	BUSY_MS = 5000,
};

static uint32_t
big_endian(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

/* Look at the file before SQLite does, which might write to it. The file is
 * made here if it may be, so that nobody else can ever read it. */
static int
check_file(const char *path, bool may_make, struct why *why)
{
	unsigned char head[HEADER];
	int fd = open(path, O_RDWR | (may_make ? O_CREAT : 0) | O_CLOEXEC,
	    0600);
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
execute(struct sqlite_session *q, const char *sql, struct why *why)
{
	return sqlite3_exec(q->db, sql, NULL, NULL, NULL) == SQLITE_OK
	    ? 0 : sqlite_why(q, why);
}

static int
version_of(struct sqlite_session *q, struct why *why)
{
	sqlite3_stmt *sql = NULL;
	int version = -1;

	if (sqlite3_prepare_v2(q->db, "PRAGMA user_version", -1, &sql,
	    NULL) == SQLITE_OK && sqlite3_step(sql) == SQLITE_ROW)
		version = sqlite3_column_int(sql, 0);
	else
		(void)sqlite_why(q, why);
	(void)sqlite3_finalize(sql);
	return version;
}

int
sqlite_check_schema(struct sqlite_session *q, struct why *why)
{
	int version = version_of(q, why);

	if (version < 0 || version == SCHEMA_VERSION)
		return version < 0 ? -1 : 0;
	return why_set(why, "the schema is %d, this k6serve knows %d",
	    version, SCHEMA_VERSION);
}

/* Run what the schema has behind "-- version N" of the next version on. */
static int
execute_from(struct sqlite_session *q, int version, struct span schema,
    struct why *why)
{
	char *text = xstrndup(schema.p, schema.n), mark[32];
	const char *from;
	int status;

	(void)snprintf(mark, sizeof(mark), "\n-- version %d", version + 1);
	from = strstr(text, mark);
	status = from == NULL ? why_set(why, "the schema has no version %d",
	    version + 1) : execute(q, from, why);
	free(text);
	return status;
}

/* Bring the tables to this version, inside a transaction. */
static int
migrate(struct sqlite_session *q, struct span schema, struct why *why)
{
	int version = version_of(q, why);
	char pragmas[80];

	if (version < 0)
		return -1;
	if (version > SCHEMA_VERSION)
		return why_set(why, "was written by a newer k6serve");
	if (version == SCHEMA_VERSION)
		return 0;
	if (execute_from(q, version, schema, why) < 0)
		return -1;
	(void)snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id = %d;"
	    "PRAGMA user_version = %d", APPLICATION_ID, SCHEMA_VERSION);
	return execute(q, pragmas, why);
}

/* WAL only after the first transaction: so the main file's header always tells
 * whose it is. Foreign keys would remove all of a run at once, which takes
 * seconds; store_sweep does it bit by bit. What is deleted is overwritten only
 * where that needs no write of its own. */
static int
prepare(struct sqlite_session *q, const struct span *schema, struct why *why)
{
	(void)sqlite3_busy_timeout(q->db, BUSY_MS);
	(void)sqlite3_db_config(q->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(q->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0,
	    NULL);
	/* else each change of a bound tagset has its statement compiled
	 * anew, in case the partial index fits */
	(void)sqlite3_db_config(q->db, SQLITE_DBCONFIG_ENABLE_QPSG, 1, NULL);
	if (schema != NULL && (sqlite_check_place(q, why) < 0 ||
	    execute(q, "BEGIN IMMEDIATE", why) < 0))
		return -1;
	if (schema != NULL && (migrate(q, *schema, why) < 0 ||
	    execute(q, "COMMIT", why) < 0)) {
		if (!sqlite3_get_autocommit(q->db))
			(void)execute(q, "ROLLBACK", NULL);
		return -1;
	}
	if (schema != NULL)
		sqlite_note_log(q);
	return execute(q, "PRAGMA journal_mode = WAL;"
	    "PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16384;"
	    "PRAGMA journal_size_limit = 16777216;"
	    "PRAGMA secure_delete = FAST;"
	    "PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF", why);
}

/* No schema: the tables are there. */
static struct sqlite_session *
open_file(const char *path, const struct span *schema, struct why *why)
{
	struct sqlite_session *q = xcalloc(1, sizeof(*q));
	int status = 0;

	if (sqlite3_open_v2(path, &q->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL) != SQLITE_OK)
		status = sqlite_why(q, why);
	if (status == 0)
		status = prepare(q, schema, why);
	if (status == 0)
		return q;
	sqlite_close(q);
	return NULL;
}

void *
engine_sqlite_open(const char *path, struct span schema, struct why *why)
{
	/* SQLite's count of its memory has one lock for all threads: a reader
	 * that stands back would hold up those that write. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (check_file(path, schema.p != NULL, why) < 0)
		return NULL;
	return open_file(path, schema.p != NULL ? &schema : NULL, why);
}

void *
sqlite_open_again(void *session, struct why *why)
{
	struct sqlite_session *q = session;

	return open_file(sqlite3_db_filename(q->db, "main"), NULL, why);
}

void
sqlite_close(void *session)
{
	struct sqlite_session *q = session;

	(void)sqlite3_close(q->db);
	free(q);
}
