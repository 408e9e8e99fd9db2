/* SPDX-License-Identifier: MIT */
/* Load tests, and the runs that were started of them. */
#include "k6serve/store/store_priv.h"

static void
bind_view(struct store *s, sqlite3_stmt *sql)
{
	if (s->owner != NULL)
		store_bind_text(sql, 3, span_of(s->owner));
}

int
store_load_tests(struct store *s, int64_t project, struct span name,
    store_load_test_each *each, void *ctx, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_LOAD_TESTS, why);
	struct store_load_test t = { .project = project };
	int status = 0;

	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, project);
	if (name.n != 0)
		store_bind_text(sql, 2, name);
	bind_view(s, sql);
	while (store_next(s, sql, &status, why)) {
		t.id = sqlite3_column_int64(sql, 0);
		t.name = store_text(sql, 1);
		t.owner = store_text(sql, 2);
		t.created_ns = sqlite3_column_int64(sql, 3);
		status = each(ctx, &t);
	}
	return status;
}

static int
see_one(void *ctx, const struct store_load_test *t)
{
	(void)ctx;
	(void)t;
	return 1;
}

enum store_result
store_load_test_add(struct store *s, struct store_load_test *t,
    struct why *why)
{
	int found = store_load_tests(s, t->project, t->name, see_one, NULL,
	    why);
	sqlite3_stmt *sql;

	if (found > 0)
		return STORE_CONFLICT;
	if (found < 0 || (sql = store_sql(s, SQL_LOAD_TEST_ADD, why)) == NULL)
		return store_failure(s);
	store_bind_text(sql, 1, t->owner);
	(void)sqlite3_bind_int64(sql, 2, t->project);
	store_bind_text(sql, 3, t->name);
	(void)sqlite3_bind_int64(sql, 4, t->created_ns);
	if (store_run_sql(s, sql, why) < 0)
		return store_failure(s);
	t->id = sqlite3_last_insert_rowid(s->db);
	return STORE_DONE;
}

enum store_result
store_load_test_get(struct store *s, int64_t id, struct buf *name,
    int64_t *project, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_LOAD_TEST_GET, why);
	int found;

	if (sql == NULL)
		return store_failure(s);
	(void)sqlite3_bind_int64(sql, 1, id);
	bind_view(s, sql);
	found = store_step(s, sql, why);
	if (found > 0) {
		buf_span(name, store_text(sql, 0));
		*project = sqlite3_column_int64(sql, 1);
	}
	store_reset(sql);
	if (found < 0)
		return store_failure(s);
	return found == 0 ? STORE_NO_RUN : STORE_DONE;
}

enum store_result
store_started_put(struct store *s, const struct store_started *r,
    struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_STARTED_PUT, why);

	if (sql == NULL)
		return store_failure(s);
	(void)sqlite3_bind_int64(sql, 1, r->run);
	(void)sqlite3_bind_int64(sql, 2, r->load_test);
	(void)sqlite3_bind_blob(sql, 3, r->hash, STORE_DIGEST, SQLITE_STATIC);
	return store_run_sql(s, sql, why) < 0 ? store_failure(s) : STORE_DONE;
}

int
store_started_get(struct store *s, struct store_started *r,
    struct buf *owner, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_STARTED_GET, why);
	int found;

	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, r->run);
	found = store_step(s, sql, why);
	if (found > 0 && sqlite3_column_bytes(sql, 1) != STORE_DIGEST)
		found = 0;
	if (found > 0) {
		r->load_test = sqlite3_column_int64(sql, 0);
		memcpy(r->hash, sqlite3_column_blob(sql, 1), STORE_DIGEST);
		buf_span(owner, store_text(sql, 2));
	}
	store_reset(sql);
	return found;
}
