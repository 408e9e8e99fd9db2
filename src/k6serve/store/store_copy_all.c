/* SPDX-License-Identifier: MIT */
/* Copies all besides the runs: the id, tokens, load tests, numbers. */
#include <string.h>

#include "base/mem.h"
#include "k6serve/store/store_copy.h"
#include "k6serve/store/store_priv.h"
#include "k6serve/store/store_token.h"

/* The number that a statement without parameters finds; 0: no row; -1: why. */
static int64_t
one_int(struct store *s, const char *text, struct why *why)
{
	struct store_stmt p = store_prepare(s, text, why);

	return p.sql == NULL ? -1 : store_one_int(&p, why);
}

/* Run a text of the engine whose parameter is a number that it gave. */
static int
raise_number(struct store *s, enum engine_text text, int64_t last,
    struct why *why)
{
	struct store_stmt p;

	if (last == 0)
		return 0;
	p = store_prepare(s, s->engine->texts[text], why);
	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, last);
	return store_run_sql(&p, why);
}

static int
raise_run(struct store *from, struct store *to, struct why *why)
{
	int64_t last = one_int(from, from->engine->texts[ENGINE_LAST_RUN],
	    why);

	return last < 0 ? -1 : raise_number(to, ENGINE_RAISE_RUN, last, why);
}

/* Within a transaction, so that no run is made meanwhile. */
static int
take_identity(struct store *from, struct store *to, struct why *why)
{
	static const char update[] = "UPDATE identity SET id = ?"
	    " WHERE NOT EXISTS (SELECT 1 FROM run)";
	struct store_stmt p = store_prepare(to, update, why);

	if (p.sql == NULL)
		return -1;
	store_bind_text(&p, span_of(store_id(from)));
	return store_run_sql(&p, why);
}

int
store_copy_begin(struct store *from, struct store *to, struct why *why)
{
	const char *copy = to->engine->texts[ENGINE_COPY];

	if (copy != NULL && store_run_text(to, copy, why) < 0)
		return -1;
	if (store_begin(to, why) < 0)
		return -1;
	if (take_identity(from, to, why) == 0 &&
	    raise_run(from, to, why) == 0)
		return store_commit(to, why);
	store_rollback(to);
	return -1;
}

/* SQLite has a place for the number only after the first run. */
int
store_copy_end(struct store *from, struct store *to, struct why *why)
{
	const char *analyze = to->engine->texts[ENGINE_ANALYZE];

	if (raise_run(from, to, why) < 0)
		return -1;
	if (analyze != NULL)	/* all is copied, also if that fails */
		(void)store_run_text(to, analyze, NULL);
	return 0;
}

struct tokens {
	struct store *to;
	const struct store_copy_told *told;
	struct why *why;
};

/* Is there such a token, in all that it is? 1, 0, or -1 and why. */
static int
has_token(struct store *to, const struct store_token *t, struct why *why)
{
	static const char select[] = "SELECT 1 FROM token WHERE name = ?"
	    " AND hash = ? AND owner = ?";
	struct store_stmt p = store_prepare(to, select, why);

	if (p.sql == NULL)
		return -1;
	store_bind_text(&p, span_of(t->name));
	store_bind_digest(&p, t->hash);
	store_bind_text(&p, span_of(t->owner));
	return (int)store_one_int(&p, why);
}

static int
copy_token(void *ctx, const struct store_token *t)
{
	struct tokens *all = ctx;
	int found = has_token(all->to, t, all->why);

	if (found != 0)
		return found < 0 ? -1 : 0;
	if (store_token_add(all->to, t, all->why) == 0) {
		all->told->copied(all->told->ctx);
		return 0;
	}
	if (!all->to->engine->is_conflict(all->to->session))
		return -1;
	all->told->differs(all->told->ctx, t->name);
	return 0;
}

int
store_copy_tokens(struct store *from, struct store *to,
    const struct store_copy_told *told, struct why *why)
{
	struct tokens all = { to, told, why };

	return store_tokens(from, copy_token, &all, why);
}

/* A load test keeps its number, if that is free. */
static int
add_load_test(struct store *to, const struct store_stmt *row, struct why *why)
{
	static const char insert[] = "INSERT INTO load_test(id, owner,"
	    " project, name, created_ns) VALUES(?, ?, ?, ?, ?)"
	    " ON CONFLICT DO NOTHING";
	static const char insert_anew[] = "INSERT INTO load_test(owner,"
	    " project, name, created_ns) VALUES(?, ?, ?, ?)"
	    " ON CONFLICT(project, name, owner) DO NOTHING";
	enum { ID, OWNER, PROJECT, NAME, CREATED_NS };
	struct store_stmt from = *row, p;
	bool has_number;

	for (has_number = true;; has_number = false) {
		p = store_prepare(to, has_number ? insert : insert_anew, why);
		if (p.sql == NULL)
			return -1;
		if (has_number)
			store_bind_int(&p, store_get_int(&from, ID));
		store_bind_text(&p, store_get_text(&from, OWNER));
		store_bind_int(&p, store_get_int(&from, PROJECT));
		store_bind_text(&p, store_get_text(&from, NAME));
		store_bind_int(&p, store_get_int(&from, CREATED_NS));
		if (store_run_sql(&p, why) < 0)
			return -1;
		if (store_changes(to) > 0 || !has_number)
			return 0;
	}
}

int
store_copy_load_tests(struct store *from, struct store *to, struct why *why)
{
	static const char last[] = "SELECT coalesce(max(id), 0)"
	    " FROM load_test";
	static const char select[] = "SELECT id, owner, project, name,"
	    " created_ns FROM load_test ORDER BY id";
	int64_t most = one_int(from, last, why);
	struct store_stmt p;
	int status = 0;

	if (most < 0 || raise_number(to, ENGINE_RAISE_LOAD_TEST, most, why) <
	    0)
		return -1;
	p = store_prepare(from, select, why);
	if (p.sql == NULL)
		return -1;
	while (store_next(&p, &status, why))
		status = add_load_test(to, &p, why);
	return status;
}
