/* SPDX-License-Identifier: MIT */
/* Opens a store on its engine; transactions, alone and in groups. */
#include "k6serve/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "k6serve/store/engine_postgres.h"
#include "k6serve/store/engine_sqlite.h"
#include "k6serve/store/store_lease.h"
#include "k6serve/store/store_priv.h"

int
store_run_text(struct store *s, const char *text, struct why *why)
{
	struct store_stmt p = store_prepare(s, text, why);

	return store_run_sql(&p, why);
}

/* In a group the engine may have ended the transaction, on a full disk say. */
int
store_begin(struct store *s, struct why *why)
{
	if (!s->is_group && s->mark.is_doubtful)
		return why_set(why, "the database went away during a commit");
	s->mark.is_cut = false;
	if (!s->is_group)
		return s->engine->enter(s->session, why) < 0 ? -1
		    : store_run_text(s, s->engine->texts[ENGINE_BEGIN], why);
	s->is_broken |= !s->engine->is_in_transaction(s->session);
	return s->is_broken ? why_set(why, "the transaction failed") : 0;
}

/* Is the lease ours, if the transaction is one of those that need it? */
static int
check_lease(struct store *s, struct why *why)
{
	int is_ours = s->lease.is_asked ? store_lease_check(s, why) : 1;

	s->lease.is_asked = false;
	return is_ours == 0 ? why_set(why, "another k6serve does this now") :
	    is_ours < 0 ? -1 : 0;
}

int
store_commit(struct store *s, struct why *why)
{
	if (s->is_group)
		return 0;
	if (check_lease(s, why) < 0)
		return -1;
	if (s->engine->leave(s->session, why) < 0 ||
	    store_mark_put(s, why) < 0)
		return -1;
	if (store_run_text(s, "COMMIT", why) < 0 &&
	    store_mark_find(s, why) < 0)
		return -1;
	s->engine->left(s->session);
	return 0;
}

void
store_rollback(struct store *s)
{
	s->lease.is_asked = false;
	if (s->is_group)
		s->is_broken = true;
	else if (s->engine->has_transaction(s->session))
		(void)store_run_text(s, "ROLLBACK", NULL);
}

int
store_read_begin(struct store *s, struct why *why)
{
	return store_run_text(s, s->engine->texts[ENGINE_BEGIN_READ], why);
}

void
store_read_end(struct store *s)
{
	if (s->engine->has_transaction(s->session))
		(void)store_run_text(s, "ROLLBACK", NULL);
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
	s->mark.is_doubtful = false;
	if (store_begin(s, why) < 0)
		return -1;
	s->is_group = true;
	s->is_broken = false;
	return 0;
}

int
store_group_end(struct store *s, struct why *why)
{
	bool is_broken = s->is_broken ||
	    !s->engine->is_in_transaction(s->session);

	s->is_group = false;
	if (!is_broken && store_commit(s, why) == 0)
		return 0;
	store_rollback(s);
	return is_broken ? why_set(why, "the transaction failed") : -1;
}

int
store_check_place(struct store *s, struct why *why)
{
	return s->engine->enter(s->session, why);
}

enum store_result
store_last_failure(const struct store *s)
{
	return s->mark.is_cut ? STORE_BUSY : s->engine->failure(s->session);
}

bool
store_is_misplaced(const struct store *s)
{
	return s->engine->is_misplaced(s->session);
}

int
store_check_ready(struct store *s, struct why *why)
{
	return s->engine->enter(s->session, why) < 0 ? -1 :
	    s->engine->check_schema(s->session, why);
}

/* 0, or -1 and why. */
static int
read_identity(struct store *s, struct why *why)
{
	struct store_stmt p = store_prepare(s, "SELECT id FROM identity",
	    why);
	int status;

	if (p.sql == NULL)
		return -1;
	status = store_step(&p, why);
	if (status > 0)
		(void)snprintf(s->id, sizeof(s->id), "%s",
		    store_get_text(&p, 0).p);
	store_reset(&p);
	return status == 0 ? why_set(why, "has no identity") :
	    status < 0 ? -1 : 0;
}

const char *
store_id(const struct store *s)
{
	return s->id;
}

/* The store of a session, which it owns; NULL: why, also of a session that is
 * NULL. */
static struct store *
store_of(const struct engine *engine, void *session, struct why *why)
{
	struct store *s;

	if (session == NULL)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->engine = engine;
	s->session = session;
	if (read_identity(s, why) == 0)
		return s;
	store_close(s);
	return NULL;
}

struct store *
store_open(const char *path, struct span schema, struct why *why)
{
	return store_of(&engine_sqlite, engine_sqlite_open(path, schema, why),
	    why);
}

bool
store_is_postgres(const char *url)
{
	return strncmp(url, "postgresql://", 13) == 0 ||
	    strncmp(url, "postgres://", 11) == 0;
}

bool
store_has_postgres(void)
{
	return engine_postgres_is_there();
}

struct store *
store_open_postgres(const char *url, struct span schema, struct why *why)
{
#ifdef K6PIPE_LIBPQ
	return store_of(&engine_postgres, engine_postgres_open(url, schema,
	    why), why);
#else
	(void)url;
	(void)schema;
	(void)why_set(why, "this k6serve was built without libpq");
	return NULL;
#endif
}

/* The session, if its tables are those that are known here. */
static void *
check_session(const struct engine *engine, void *session, struct why *why)
{
	if (session == NULL || engine->check_schema(session, why) == 0)
		return session;
	engine->close(session);
	return NULL;
}

struct store *
store_open_as_is(const char *name, struct why *why)
{
	const struct engine *engine = &engine_sqlite;
	const struct span nothing = { NULL, 0 };
	void *session;

#ifdef K6PIPE_LIBPQ
	if (store_is_postgres(name)) {
		engine = &engine_postgres;
		session = engine_postgres_open(name, nothing, why);
	} else
#endif
	session = engine_sqlite_open(name, nothing, why);
	return store_of(engine, check_session(engine, session, why), why);
}

struct store *
store_open_again(const struct store *s, struct why *why)
{
	return store_of(s->engine, s->engine->open_again(s->session, why),
	    why);
}

void
store_watch(struct store *s, bool (*is_unwanted)(void *ctx), void *ctx)
{
	s->engine->watch(s->session, is_unwanted, ctx);
}

void
store_hurry(struct store *s)
{
	s->engine->hurry(s->session);
}

void
store_limit(struct store *s, int64_t silence_ms)
{
	s->engine->limit(s->session, silence_ms);
}

void
store_abandon(struct store *s)
{
	s->is_abandoned = true;
	s->engine->abandon(s->session);
}

void
store_close(struct store *s)
{
	int i;

	if (s == NULL)
		return;
	for (i = 0; i < STORE_STATEMENTS; i++)
		if (s->statements[i].sql != NULL)
			s->engine->finalize(s->statements[i].sql);
	s->engine->close(s->session);
	buf_release(&s->blob);
	free(s->touched.runs);
	free(s->removed.runs);
	free(s);
}
