/* SPDX-License-Identifier: MIT */
/* The tables of load tests, and of the runs that were started from them. */
#include "k6serve/store/store_load_test.h"

#include <string.h>

#include "k6serve/store/store_priv.h"

int
store_load_tests(struct store *s, const struct store_load_test_query *q,
    store_load_test_each *each, void *ctx, struct why *why)
{
	static const char select[] = "SELECT id, name, owner, created_ns"
	    " FROM load_test WHERE project = ?1"
	    " AND (?2 IS NULL OR name = ?2) AND " STORE_IS_SEEN_BY("?3")
	    " ORDER BY id DESC";
	enum { ID, NAME, OWNER, CREATED_NS };
	struct store_stmt p = store_prepare(s, select, why);
	struct store_load_test t = { .project = q->project };
	int status = 0;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, q->project);
	if (q->name.n != 0)
		store_bind_text(&p, q->name);
	else
		store_bind_null(&p, ENGINE_TEXT);
	store_bind_owner(&p, q->owner);
	while (store_next(&p, &status, why)) {
		t.id = store_get_int(&p, ID);
		t.name = store_get_text(&p, NAME);
		t.owner = store_get_text(&p, OWNER);
		t.created_ns = store_get_int(&p, CREATED_NS);
		status = each(ctx, &t);
	}
	return status;
}

int
store_projects(struct store *s, const char *owner,
    store_load_test_each *each, void *ctx, struct why *why)
{
	static const char select[] = "SELECT project, min(created_ns) FROM ("
	    "SELECT project, created_ns, owner FROM load_test UNION ALL "
	    "SELECT project, created_ns, owner FROM run) AS both_tables"
	    " WHERE project > 0 AND " STORE_IS_SEEN_BY("?1")
	    " GROUP BY project ORDER BY project";
	enum { PROJECT, CREATED_NS };
	struct store_stmt p = store_prepare(s, select, why);
	struct store_load_test t = { 0 };
	int status = 0;

	if (p.sql == NULL)
		return -1;
	store_bind_owner(&p, owner);
	while (store_next(&p, &status, why)) {
		t.project = store_get_int(&p, PROJECT);
		t.created_ns = store_get_int(&p, CREATED_NS);
		status = each(ctx, &t);
	}
	return status;
}

static int
stop_at_first(void *ctx, const struct store_load_test *t)
{
	(void)ctx;
	(void)t;
	return 1;
}

enum store_result
store_load_test_add(struct store *s, const char *owner,
    struct store_load_test *t, struct why *why)
{
	static const char insert[] = "INSERT INTO load_test(owner, project,"
	    " name, created_ns) VALUES(?, ?, ?, ?) RETURNING id";
	struct store_load_test_query q = { owner, t->project, t->name };
	int found = store_load_tests(s, &q, stop_at_first, NULL, why);
	struct store_stmt p;

	if (found > 0)
		return STORE_CONFLICT;
	if (found < 0)
		return store_failure(s);
	p = store_prepare(s, insert, why);
	if (p.sql == NULL)
		return store_failure(s);
	store_bind_text(&p, t->owner);
	store_bind_int(&p, t->project);
	store_bind_text(&p, t->name);
	store_bind_int(&p, t->created_ns);
	t->id = store_one_int(&p, why);
	return t->id < 0 ? store_failure(s) : STORE_DONE;
}

enum store_result
store_load_test_get(struct store *s, const char *owner,
    struct store_load_test *t, struct buf *name, struct why *why)
{
	static const char select[] = "SELECT name, project, created_ns"
	    " FROM load_test WHERE id = ?1 AND " STORE_IS_SEEN_BY("?2");
	enum { NAME, PROJECT, CREATED_NS };
	struct store_stmt p = store_prepare(s, select, why);
	int found;

	if (p.sql == NULL)
		return store_failure(s);
	store_bind_int(&p, t->id);
	store_bind_owner(&p, owner);
	found = store_step(&p, why);
	if (found > 0) {
		buf_span(name, store_get_text(&p, NAME));
		t->name = buf_whole(name);
		t->project = store_get_int(&p, PROJECT);
		t->created_ns = store_get_int(&p, CREATED_NS);
	}
	store_reset(&p);
	if (found < 0)
		return store_failure(s);
	return found == 0 ? STORE_NO_RUN : STORE_DONE;
}

enum store_result
store_started_put(struct store *s, const struct store_started *r,
    struct why *why)
{
	static const char insert[] = "INSERT INTO started(run,"
	    " load_test, hash) VALUES(?, ?, ?) ON CONFLICT(run) DO UPDATE"
	    " SET load_test = excluded.load_test, hash = excluded.hash";
	struct store_stmt p = store_prepare(s, insert, why);

	if (p.sql == NULL)
		return store_failure(s);
	store_bind_int(&p, r->run);
	store_bind_int(&p, r->load_test);
	store_bind_digest(&p, r->hash);
	return store_run_sql(&p, why) < 0 ? store_failure(s)
	    : STORE_DONE;
}

int
store_started_get(struct store *s, const char *owner,
    struct store_started *r, struct buf *run_owner, struct why *why)
{
	static const char select[] = "SELECT load_test, hash, owner"
	    " FROM started JOIN run ON run.id = started.run"
	    " WHERE started.run = ?1 AND " STORE_IS_SEEN_BY("?2");
	enum { LOAD_TEST, HASH, OWNER };
	struct store_stmt p = store_prepare(s, select, why);
	int found;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, r->run);
	store_bind_owner(&p, owner);
	found = store_step(&p, why);
	if (found > 0 && store_get_digest(&p, HASH) == NULL)
		found = 0;
	if (found > 0) {
		r->load_test = store_get_int(&p, LOAD_TEST);
		memcpy(r->hash, store_get_digest(&p, HASH), STORE_DIGEST);
		if (run_owner != NULL)
			buf_span(run_owner, store_get_text(&p, OWNER));
	}
	store_reset(&p);
	return found;
}
