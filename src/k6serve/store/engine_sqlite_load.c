/* SPDX-License-Identifier: MIT */
/* Writes many rows in SQLite: a statement that is run for each. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "k6serve/store/engine_sqlite_priv.h"

struct engine_load {
	struct sqlite_session *q;
	sqlite3_stmt *sql;
	int columns;
};

struct engine_load *
sqlite_load_begin(void *session, const char *into, int columns,
    struct why *why)
{
	struct engine_load *l = xcalloc(1, sizeof(*l));
	struct buf text = { 0 };
	int i, status;

	l->q = session;
	l->columns = columns;
	buf_printf(&text, "INSERT INTO %s VALUES(", into);
	for (i = 0; i < columns; i++)
		buf_text(&text, i == 0 ? "?" : ", ?");
	buf_add(&text, ")", 2);
	status = sqlite3_prepare_v2(l->q->db, text.p, -1, &l->sql, NULL);
	buf_release(&text);
	if (status == SQLITE_OK)
		return l;
	(void)sqlite_why(l->q, why);
	free(l);
	return NULL;
}

static void
bind(sqlite3_stmt *sql, int at, const struct engine_value *v)
{
	const char *p = v->bytes.p != NULL ? v->bytes.p : "";

	if (v->is_null)
		(void)sqlite3_bind_null(sql, at);
	else if (v->type == ENGINE_INT)
		(void)sqlite3_bind_int64(sql, at, v->number);
	else if (v->type == ENGINE_REAL)
		(void)sqlite3_bind_double(sql, at, v->real);
	else if (v->type == ENGINE_BLOB)
		(void)sqlite3_bind_blob64(sql, at, p, v->bytes.n,
		    SQLITE_STATIC);
	else
		(void)sqlite3_bind_text64(sql, at, p, v->bytes.n,
		    SQLITE_STATIC, SQLITE_UTF8);
}

int
sqlite_load_row(struct engine_load *l, const struct engine_value *row,
    struct why *why)
{
	int i, status;

	for (i = 0; i < l->columns; i++)
		bind(l->sql, i + 1, &row[i]);
	status = sqlite3_step(l->sql);
	(void)sqlite3_reset(l->sql);
	return status == SQLITE_DONE ? 0 : sqlite_why(l->q, why);
}

int
sqlite_load_end(struct engine_load *l, struct why *why)
{
	(void)why;
	(void)sqlite3_finalize(l->sql);
	free(l);
	return 0;
}
