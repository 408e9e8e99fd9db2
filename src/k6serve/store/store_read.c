/* SPDX-License-Identifier: MIT */
/* Runs and their data are read. */
#include "k6serve/store/store_priv.h"

static void
read_run(sqlite3_stmt *sql, struct store_run *r)
{
	int64_t *const numbers[] = { &r->project, &r->vus, &r->planned_s,
	    &r->created_ns, &r->seen_ns, &r->ended_ns, &r->first_ns,
	    &r->last_ns, &r->step_s, &r->requests, &r->points, &r->version };
	size_t i;
	int column = 7;

	r->id = sqlite3_column_int64(sql, 0);
	r->name = store_text(sql, 1);
	r->thresholds = store_text(sql, 2);
	r->results = store_text(sql, 3);
	r->note = store_text(sql, 4);
	r->agent = store_text(sql, 5);
	r->owner = store_text(sql, 6);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		*numbers[i] = sqlite3_column_int64(sql, column++);
	r->run_status = sqlite3_column_int(sql, column++);
	r->result_status = sqlite3_column_int(sql, column++);
	r->is_late = sqlite3_column_int(sql, column) != 0;
}

int
store_runs(struct store *s, int64_t id, int64_t limit, store_run_each *each,
    void *ctx, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, id != 0 ? SQL_RUN_GET : SQL_RUN_LIST,
	    why);
	struct store_run r;
	int status = 0;

	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, id);
	(void)sqlite3_bind_int64(sql, 2, limit);
	if (id == 0 && s->owner != NULL)
		store_bind_text(sql, 3, span_of(s->owner));
	while (store_next(s, sql, &status, why)) {
		read_run(sql, &r);
		status = each(ctx, &r);
	}
	return status;
}

/* The row that a statement stands at, its sink in *sink. -1: why. */
static int
read_row(sqlite3_stmt *sql, bool has_no_hist, struct store_row *row,
    struct sink *sink, struct why *why)
{
	row->metric = store_text(sql, 0);
	row->tags = store_text(sql, 2);
	row->second = sqlite3_column_int64(sql, 3);
	row->series = sqlite3_column_int64(sql, 12);
	*sink = (struct sink){ .type = row->type };
	row->sink = sink;
	if (has_no_hist)
		store_get_numbers(sql, 4, sink);
	else if (store_get_sink(sql, 4, sink) < 0)
		return why_set(why, "a bad histogram in the database");
	return 0;
}

/* Hand out the rows of a query; of one series when its type is given. */
static int
each_row(struct store *s, sqlite3_stmt *sql, const struct store_query *q,
    const enum metric_type *type, store_row_each *each, void *ctx,
    struct why *why)
{
	struct store_row row;
	struct sink sink;
	int status = 0;

	while (store_next(s, sql, &status, why)) {
		row.type = type != NULL ? *type :
		    (enum metric_type)sqlite3_column_int(sql, 1);
		status = read_row(sql, q != NULL && q->has_no_hist, &row,
		    &sink, why);
		if (status == 0)
			status = each(ctx, &row);
		sink_release(&sink);
	}
	return status;
}

static int
query(struct store *s, enum store_statement which,
    const struct store_query *q, store_row_each *each, void *ctx,
    struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, which, why);

	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, q->run);
	if (q->metric != NULL)
		store_bind_text(sql, 2, span_of(q->metric));
	return each_row(s, sql, q, NULL, each, ctx, why);
}

int
store_series(struct store *s, const struct store_query *q,
    store_row_each *each, void *ctx, struct why *why)
{
	return query(s, q->is_whole ? SQL_SERIES_WHOLE : SQL_SERIES_EACH, q,
	    each, ctx, why);
}

int
store_points(struct store *s, const struct store_query *q,
    store_row_each *each, void *ctx, struct why *why)
{
	return query(s, q->is_whole ? SQL_POINTS_WHOLE : SQL_POINTS_EACH, q,
	    each, ctx, why);
}

int
store_points_of(struct store *s, int64_t series, enum metric_type type,
    store_row_each *each, void *ctx, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_POINTS_OF, why);

	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, series);
	return each_row(s, sql, NULL, &type, each, ctx, why);
}

int
store_sums(struct store *s, int64_t series, store_sum_each *each, void *ctx,
    struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_SUMS, why);
	int status = 0;

	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, series);
	while (store_next(s, sql, &status, why))
		status = each(ctx, sqlite3_column_int64(sql, 0),
		    sqlite3_column_double(sql, 1),
		    (uint64_t)sqlite3_column_int64(sql, 2));
	return status;
}

int64_t
store_overflow(struct store *s, int64_t run, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_OVERFLOW, why);
	int64_t n = -1;

	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, run);
	store_bind_text(sql, 2, span_of(STORE_OVERFLOW));
	if (sqlite3_step(sql) == SQLITE_ROW)
		n = sqlite3_column_int64(sql, 0);
	else
		(void)store_why(s, why);
	(void)sqlite3_reset(sql);
	(void)sqlite3_clear_bindings(sql);
	return n;
}
