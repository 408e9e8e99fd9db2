/* SPDX-License-Identifier: MIT */
/* Statements: compiled once, bound, run, and their rows read. */
#include <stdint.h>

#include "k6serve/store/store_priv.h"

/* The columns of STORE_SINK_COLUMNS, from the first one on. */
enum { COUNT, NONZERO, SUM, MIN, MAX, LAST, LAST_NS, HIST, EXACT };

const char store_everybody[] = "everybody";

int
store_why(struct store *s, struct why *why)
{
	return why_set(why, "%s", sqlite3_errmsg(s->db));
}

enum store_result
store_failure(struct store *s)
{
	int code = sqlite3_errcode(s->db) & 0xff;

	if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		return STORE_BUSY;
	return s->is_misplaced || code == SQLITE_FULL ||
	    code == SQLITE_IOERR || code == SQLITE_READONLY ? STORE_FULL
	    : STORE_FAILED;
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

struct store_params
store_prepare(struct store *s, const char *text, struct why *why)
{
	size_t i = ((uintptr_t)text >> 4) % STORE_STATEMENTS;
	struct store_statement *place;

	while (s->statements[i].text != NULL && s->statements[i].text != text)
		i = (i + 1) % STORE_STATEMENTS;
	place = &s->statements[i];
	place->text = text;
	if (place->sql == NULL && sqlite3_prepare_v3(s->db, text, -1,
	    SQLITE_PREPARE_PERSISTENT, &place->sql, NULL) != SQLITE_OK)
		(void)store_why(s, why);
	return (struct store_params){ place->sql, 0 };
}

void
store_bind_null(struct store_params *p)
{
	(void)sqlite3_bind_null(p->sql, ++p->n);
}

void
store_bind_int(struct store_params *p, int64_t value)
{
	(void)sqlite3_bind_int64(p->sql, ++p->n, value);
}

void
store_bind_real(struct store_params *p, double value)
{
	(void)sqlite3_bind_double(p->sql, ++p->n, value);
}

void
store_bind_text(struct store_params *p, struct span text)
{
	(void)sqlite3_bind_text64(p->sql, ++p->n, text.p != NULL ? text.p :
	    "", text.n, SQLITE_STATIC, SQLITE_UTF8);
}

void
store_bind_digest(struct store_params *p,
    const unsigned char digest[STORE_DIGEST])
{
	(void)sqlite3_bind_blob(p->sql, ++p->n, digest, STORE_DIGEST,
	    SQLITE_STATIC);
}

void
store_bind_owner(struct store_params *p, const char *owner)
{
	if (owner == store_everybody)
		store_bind_null(p);
	else
		store_bind_text(p, span_of(owner != NULL ? owner : ""));
}

/* True if the sum's double does not tell it exactly, but an integer does. */
static bool
needs_exact(const struct total *sum)
{
	struct total told = total_of(total_value(sum));

	return sum->rest == 0 && told.millionths != sum->millionths &&
	    sum->millionths >= INT64_MIN && sum->millionths <= INT64_MAX;
}

void
store_bind_sink(struct store *s, struct store_params *p,
    const struct sink *sink)
{
	store_bind_int(p, (int64_t)sink->count);
	store_bind_int(p, (int64_t)sink->nonzero);
	store_bind_real(p, sink_sum(sink));
	store_bind_real(p, sink->min);
	store_bind_real(p, sink->max);
	store_bind_real(p, sink->last);
	store_bind_int(p, sink->last_ns);
	if (sink->type == METRIC_TREND) {
		buf_reset(&s->blob);
		hist_encode(&sink->hist, &s->blob);
		(void)sqlite3_bind_blob64(p->sql, ++p->n, s->blob.p,
		    s->blob.n, SQLITE_STATIC);
	} else {
		store_bind_null(p);
	}
	if (needs_exact(&sink->sum))
		store_bind_int(p, (int64_t)sink->sum.millionths);
	else
		store_bind_null(p);
}

int
store_step(struct store *s, sqlite3_stmt *sql, struct why *why)
{
	int step = sqlite3_step(sql);

	if (step == SQLITE_ROW)
		return 1;
	if (step == SQLITE_DONE)
		return 0;
	return store_why(s, why);
}

void
store_reset(sqlite3_stmt *sql)
{
	(void)sqlite3_reset(sql);
	(void)sqlite3_clear_bindings(sql);
}

int64_t
store_one_int(struct store *s, sqlite3_stmt *sql, struct why *why)
{
	int64_t value = store_step(s, sql, why);

	if (value > 0)
		value = sqlite3_column_int64(sql, 0);
	store_reset(sql);
	return value;
}

bool
store_next(struct store *s, sqlite3_stmt *sql, int *status, struct why *why)
{
	int step = *status == 0 ? sqlite3_step(sql) : SQLITE_DONE;

	if (step == SQLITE_ROW)
		return true;
	if (step != SQLITE_DONE)
		*status = store_why(s, why);
	store_reset(sql);
	return false;
}

int
store_run_sql(struct store *s, sqlite3_stmt *sql, struct why *why)
{
	int status;

	if (sql == NULL)
		return -1;
	status = sqlite3_step(sql) == SQLITE_DONE ? 0 : store_why(s, why);
	store_reset(sql);
	return status;
}

enum store_result
store_change(struct store *s, sqlite3_stmt *sql, struct why *why)
{
	if (store_run_sql(s, sql, why) < 0)
		return store_failure(s);
	return sqlite3_changes(s->db) == 0 ? STORE_NO_RUN : STORE_DONE;
}

struct span
store_text(sqlite3_stmt *sql, int column)
{
	const char *p = (const char *)sqlite3_column_text(sql, column);

	return (struct span){ p != NULL ? p : "",
	    p != NULL ? (size_t)sqlite3_column_bytes(sql, column) : 0 };
}

void
store_get_numbers(sqlite3_stmt *sql, int first, struct sink *sink)
{
	sink->count = (uint64_t)sqlite3_column_int64(sql, first + COUNT);
	sink->nonzero = (uint64_t)sqlite3_column_int64(sql, first + NONZERO);
	sink->sum = sqlite3_column_type(sql, first + EXACT) == SQLITE_NULL
	    ? total_of(sqlite3_column_double(sql, first + SUM))
	    : total_of_millionths(sqlite3_column_int64(sql, first + EXACT));
	sink->min = sqlite3_column_double(sql, first + MIN);
	sink->max = sqlite3_column_double(sql, first + MAX);
	sink->last = sqlite3_column_double(sql, first + LAST);
	sink->last_ns = sqlite3_column_int64(sql, first + LAST_NS);
}

int
store_get_sink(sqlite3_stmt *sql, int first, struct sink *sink)
{
	const void *blob = sqlite3_column_blob(sql, first + HIST);

	store_get_numbers(sql, first, sink);
	if (blob == NULL)
		return 0;
	return hist_decode(&sink->hist, blob,
	    (size_t)sqlite3_column_bytes(sql, first + HIST));
}
