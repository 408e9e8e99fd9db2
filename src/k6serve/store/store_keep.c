/* SPDX-License-Identifier: MIT */
/* Whose runs are seen, and what time does to runs. */
#include "k6serve/store/store_priv.h"

void
store_view(struct store *s, const char *owner)
{
	s->owner = owner;
}

enum store_result
store_find(struct store *s, int64_t run, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_RUN_FIND, why);
	int found;

	if (sql == NULL)
		return store_failure(s);
	(void)sqlite3_bind_int64(sql, 1, run);
	if (s->owner != NULL)
		store_bind_text(sql, 3, span_of(s->owner));
	found = store_step(s, sql, why);
	store_reset(sql);
	if (found < 0)
		return store_failure(s);
	return found == 0 ? STORE_NO_RUN : STORE_DONE;
}

int
store_expire(struct store *s, int64_t seen_ns, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_EXPIRE, why);

	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, seen_ns);
	return store_run_sql(s, sql, why);
}

/* Bytes of the file that hold data; -1: why. Pages that became free are used
 * again, the file does not shrink. */
static int64_t
size_of(struct store *s, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_SIZE, why);
	int64_t size = -1;

	if (sql == NULL)
		return -1;
	if (store_step(s, sql, why) == 1)
		size = sqlite3_column_int64(sql, 0);
	store_reset(sql);
	return size;
}

int
store_retain(struct store *s, int64_t seen_ns, int64_t max, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_OLDEST, why);
	int64_t size = size_of(s, why), run = 0;
	int found;

	if (sql == NULL || size < 0)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, size > max ? INT64_MAX : seen_ns);
	found = store_step(s, sql, why);
	if (found == 1)
		run = sqlite3_column_int64(sql, 0);
	store_reset(sql);
	if (found != 1)
		return found;
	return store_run_remove(s, run, why) == STORE_DONE ? 1 : -1;
}
