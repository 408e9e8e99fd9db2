/* SPDX-License-Identifier: MIT */
/* What people change of a run, and its slowest requests. */
#include "k6serve/store/store_priv.h"

/* Run a statement that must change one run. */
static enum store_result
change_run(struct store *s, sqlite3_stmt *sql, struct why *why)
{
	if (store_run_sql(s, sql, why) < 0)
		return store_failure(s);
	return sqlite3_changes(s->db) == 0 ? STORE_NO_RUN : STORE_DONE;
}

enum store_result
store_run_note(struct store *s, int64_t run, struct span note,
    struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_RUN_NOTE, why);

	if (sql == NULL)
		return store_failure(s);
	(void)sqlite3_bind_int64(sql, 1, run);
	store_bind_text(sql, 2, note);
	return change_run(s, sql, why);
}

enum store_result
store_run_remove(struct store *s, int64_t run, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_RUN_REMOVE, why);

	if (sql == NULL)
		return store_failure(s);
	(void)sqlite3_bind_int64(sql, 1, run);
	return change_run(s, sql, why);
}

/* A request that takes longer than this gets a place; -1: all do, so far. */
static int
read_bound(struct store *s, int64_t run, int64_t *bound, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_SLOW_BOUND, why);
	int step;

	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, run);
	step = sqlite3_step(sql);
	*bound = step == SQLITE_ROW && sqlite3_column_int64(sql, 0) >=
	    STORE_SLOW ? sqlite3_column_int64(sql, 1) : -1;
	if (step != SQLITE_ROW)
		(void)store_why(s, why);
	(void)sqlite3_reset(sql);
	return step == SQLITE_ROW ? 0 : -1;
}

static int
put_slow(struct store *s, int64_t run, const struct store_slow *slow,
    struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_SLOW_ADD, why);
	int i;

	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, run);
	(void)sqlite3_bind_int64(sql, 2, slow->time_ns);
	for (i = 0; i < TIMINGS; i++)
		(void)sqlite3_bind_int64(sql, 3 + i, slow->ns[i]);
	(void)sqlite3_bind_int(sql, 3 + TIMINGS, slow->failed);
	store_bind_text(sql, 4 + TIMINGS, slow->tags);
	return store_run_sql(s, sql, why);
}

static int
trim_slow(struct store *s, int64_t run, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_SLOW_TRIM, why);

	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, run);
	(void)sqlite3_bind_int64(sql, 2, STORE_SLOW);
	return store_run_sql(s, sql, why);
}

int
store_put_slow(struct store *s, const struct store_batch *b,
    struct why *why)
{
	int64_t bound;
	size_t i;
	bool has_more = false;

	if (b->n_slow == 0)
		return 0;
	if (read_bound(s, b->run, &bound, why) < 0)
		return -1;
	for (i = 0; i < b->n_slow; i++) {
		if (b->slow[i].ns[TIMING_DURATION] <= bound)
			continue;
		if (put_slow(s, b->run, &b->slow[i], why) < 0)
			return -1;
		has_more = true;
	}
	return has_more ? trim_slow(s, b->run, why) : 0;
}

int
store_slowest(struct store *s, int64_t run, store_slow_each *each, void *ctx,
    struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_SLOW_LIST, why);
	struct store_slow slow;
	int status = 0, i;

	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, run);
	while (store_next(s, sql, &status, why)) {
		slow.time_ns = sqlite3_column_int64(sql, 0);
		slow.failed = sqlite3_column_int(sql, 1);
		slow.tags = store_text(sql, 2);
		for (i = 0; i < TIMINGS; i++)
			slow.ns[i] = sqlite3_column_int64(sql, 3 + i);
		status = each(ctx, &slow);
	}
	return status;
}
