/* SPDX-License-Identifier: MIT */
/* Statements: compiled once, bound, run, and their rows read. */
#include <stdint.h>

#include "k6serve/store/store_priv.h"

const char store_everybody[] = "everybody";

enum store_result
store_failure(struct store *s)
{
	return store_last_failure(s);
}

enum store_result
store_check_size(const char *what, struct span text, size_t most,
    struct why *why)
{
	if (text.n <= most)
		return STORE_DONE;
	(void)why_set(why, "%s: more than %zu bytes", what, most);
	return STORE_TOO_MUCH;
}

struct store_stmt
store_prepare(struct store *s, const char *text, struct why *why)
{
	size_t i = ((uintptr_t)text >> 4) % STORE_STATEMENTS;
	struct store_statement *place;

	while (s->statements[i].text != NULL && s->statements[i].text != text)
		i = (i + 1) % STORE_STATEMENTS;
	place = &s->statements[i];
	place->text = text;
	if (place->sql == NULL)
		place->sql = s->engine->prepare(s->session, text, why);
	return (struct store_stmt){ s, place->sql, 0 };
}

void
store_bind_null(struct store_stmt *p, enum engine_type type)
{
	p->s->engine->bind_null(p->sql, ++p->n, type);
}

void
store_bind_int(struct store_stmt *p, int64_t value)
{
	p->s->engine->bind_int(p->sql, ++p->n, value);
}

void
store_bind_real(struct store_stmt *p, double value)
{
	p->s->engine->bind_real(p->sql, ++p->n, value);
}

void
store_bind_text(struct store_stmt *p, struct span text)
{
	p->s->engine->bind_bytes(p->sql, ++p->n, ENGINE_TEXT, text);
}

void
store_bind_digest(struct store_stmt *p,
    const unsigned char digest[STORE_DIGEST])
{
	p->s->engine->bind_bytes(p->sql, ++p->n, ENGINE_BLOB,
	    (struct span){ (const char *)digest, digest != NULL ?
	    STORE_DIGEST : 0 });
}

void
store_bind_value(struct store_stmt *p, const struct engine_value *v)
{
	const struct engine *engine = p->s->engine;

	if (v->is_null)
		store_bind_null(p, v->type);
	else if (v->type == ENGINE_INT)
		store_bind_int(p, v->number);
	else if (v->type == ENGINE_REAL)
		store_bind_real(p, v->real);
	else
		engine->bind_bytes(p->sql, ++p->n, v->type, v->bytes);
}

void
store_bind_array(struct store_stmt *p, const struct engine_value *first,
    size_t stride, size_t n)
{
	p->s->engine->bind_array(p->sql, ++p->n, first, stride, n);
}

void
store_bind_owner(struct store_stmt *p, const char *owner)
{
	if (owner == store_everybody)
		store_bind_null(p, ENGINE_TEXT);
	else
		store_bind_text(p, span_of(owner != NULL ? owner : ""));
}

int
store_step(struct store_stmt *p, struct why *why)
{
	enum engine_step step = p->s->engine->step(p->sql);

	if (step == ENGINE_FAILED)
		return p->s->engine->why(p->s->session, why);
	return step == ENGINE_ROW;
}

void
store_reset(struct store_stmt *p)
{
	p->s->engine->reset(p->sql);
}

int64_t
store_one_int(struct store_stmt *p, struct why *why)
{
	int64_t value = store_step(p, why);

	if (value > 0)
		value = store_get_int(p, 0);
	store_reset(p);
	return value;
}

bool
store_next(struct store_stmt *p, int *status, struct why *why)
{
	enum engine_step step = *status == 0 ? p->s->engine->step(p->sql) :
	    ENGINE_DONE;

	if (step == ENGINE_ROW)
		return true;
	if (step == ENGINE_FAILED)
		*status = p->s->engine->why(p->s->session, why);
	store_reset(p);
	return false;
}

int
store_run_sql(struct store_stmt *p, struct why *why)
{
	int status;

	if (p->sql == NULL)
		return -1;
	status = store_step(p, why) < 0 ? -1 : 0;
	store_reset(p);
	return status;
}

enum store_result
store_change(struct store_stmt *p, struct why *why)
{
	if (store_run_sql(p, why) < 0)
		return store_failure(p->s);
	return store_changes(p->s) == 0 ? STORE_NO_RUN : STORE_DONE;
}

int64_t
store_changes(struct store *s)
{
	return s->engine->changes(s->session);
}

bool
store_is_null(struct store_stmt *p, int column)
{
	return p->s->engine->is_null(p->sql, column);
}

int64_t
store_get_int(struct store_stmt *p, int column)
{
	return p->s->engine->get_int(p->sql, column);
}

double
store_get_real(struct store_stmt *p, int column)
{
	return p->s->engine->get_real(p->sql, column);
}

struct span
store_get_text(struct store_stmt *p, int column)
{
	struct span text = p->s->engine->get_bytes(p->sql, column,
	    ENGINE_TEXT);

	return text.p != NULL ? text : SPAN("");
}

struct span
store_get_blob(struct store_stmt *p, int column)
{
	return p->s->engine->get_bytes(p->sql, column, ENGINE_BLOB);
}

const unsigned char *
store_get_digest(struct store_stmt *p, int column)
{
	struct span bytes = store_get_blob(p, column);

	return bytes.n == STORE_DIGEST ? (const unsigned char *)bytes.p :
	    NULL;
}

int64_t
store_get_place(struct store_stmt *p, size_t n, struct why *why)
{
	int64_t at = store_get_int(p, 0);

	return at >= 1 && (uint64_t)at <= n ? at - 1 :
	    why_set(why, "the database returned a row that was not asked for");
}
