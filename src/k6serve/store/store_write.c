/* SPDX-License-Identifier: MIT */
/* Runs are made, fed and ended. */
#include <stdlib.h>

#include "data/run.h"
#include "k6serve/store/store_priv.h"

/* End a transaction the way its work went; a failed one is undone. The other
 * results come before anything is written. */
static enum store_result
conclude(struct store *s, enum store_result result, struct why *why)
{
	bool has_failed = result == STORE_FULL || result == STORE_FAILED;

	if (!has_failed && store_commit(s, why) < 0) {
		has_failed = true;
		result = store_failure(s);
	}
	if (has_failed)
		store_rollback(s);
	return result;
}

/* The run that a key made; 0: none; -1: why. */
static int64_t
run_of_key(struct store *s, struct span key, struct why *why)
{
	sqlite3_stmt *sql;
	int64_t id;

	if (key.n == 0)
		return 0;
	sql = store_sql(s, SQL_RUN_OF_KEY, why);
	if (sql == NULL)
		return -1;
	store_bind_text(sql, 1, key);
	id = store_step(s, sql, why);
	if (id > 0)
		id = sqlite3_column_int64(sql, 0);
	store_reset(sql);
	return id;
}

static enum store_result
insert_run(struct store *s, struct store_run *r, struct span key,
    struct why *why)
{
	sqlite3_stmt *sql;

	r->id = run_of_key(s, key, why);
	if (r->id > 0)
		return STORE_DUPLICATE;
	if (r->id < 0 || (sql = store_sql(s, SQL_RUN_ADD, why)) == NULL)
		return store_failure(s);
	if (key.n != 0)
		store_bind_text(sql, 1, key);
	store_bind_text(sql, 2, r->name);
	(void)sqlite3_bind_int64(sql, 3, r->project);
	(void)sqlite3_bind_int64(sql, 4, r->vus);
	(void)sqlite3_bind_int64(sql, 5, r->planned_s);
	store_bind_text(sql, 6, r->thresholds);
	(void)sqlite3_bind_int(sql, 7, RUN_RUNNING);
	(void)sqlite3_bind_int64(sql, 8, r->created_ns);
	(void)sqlite3_bind_int64(sql, 9, r->created_ns);
	store_bind_text(sql, 10, r->agent);
	store_bind_text(sql, 11, r->owner);
	if (store_run_sql(s, sql, why) < 0)
		return store_failure(s);
	r->id = sqlite3_last_insert_rowid(s->db);
	return STORE_DONE;
}

enum store_result
store_run_add(struct store *s, struct store_run *r, struct span key,
    struct why *why)
{
	if (store_begin(s, why) < 0)
		return store_failure(s);
	return conclude(s, insert_run(s, r, key, why), why);
}

/* What decides whether a run takes data. */
struct state {
	int run_status;
	int64_t first_ns, last_ns;
};

static bool
is_open(const struct state *state)
{
	return state->run_status == RUN_RUNNING ||
	    state->run_status == RUN_TIMED_OUT;
}

static enum store_result
read_state(struct store *s, int64_t id, struct state *state, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_RUN_STATE, why);
	int found;

	if (sql == NULL)
		return store_failure(s);
	(void)sqlite3_bind_int64(sql, 1, id);
	found = store_step(s, sql, why);
	if (found > 0) {
		state->run_status = sqlite3_column_int(sql, 0);
		state->first_ns = sqlite3_column_int64(sql, 1);
		state->last_ns = sqlite3_column_int64(sql, 2);
	}
	store_reset(sql);
	if (found < 0)
		return store_failure(s);
	return found == 0 ? STORE_NO_RUN : STORE_DONE;
}

static enum store_result
update_end(struct store *s, const struct store_run *r, struct why *why)
{
	struct state state;
	enum store_result result = read_state(s, r->id, &state, why);
	sqlite3_stmt *sql;

	if (result != STORE_DONE)
		return result;
	if (!is_open(&state))
		return STORE_ENDED;
	sql = store_sql(s, SQL_RUN_END, why);
	if (sql == NULL)
		return store_failure(s);
	(void)sqlite3_bind_int64(sql, 1, r->id);
	(void)sqlite3_bind_int(sql, 2, r->run_status);
	(void)sqlite3_bind_int(sql, 3, r->result_status);
	store_bind_text(sql, 4, r->results);
	(void)sqlite3_bind_int64(sql, 5, r->ended_ns);
	(void)sqlite3_bind_int64(sql, 6, r->created_ns);
	return store_run_sql(s, sql, why) < 0 ? store_failure(s) : STORE_DONE;
}

enum store_result
store_run_end(struct store *s, const struct store_run *r, struct why *why)
{
	if (store_begin(s, why) < 0)
		return store_failure(s);
	return conclude(s, update_end(s, r, why), why);
}

/* Did the batch's key come before? The same content again is a duplicate. */
static enum store_result
check_key(struct store *s, const struct store_batch *b, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_BATCH_FIND, why);
	int found, is_same = 0;

	if (sql == NULL)
		return store_failure(s);
	(void)sqlite3_bind_int64(sql, 1, b->run);
	store_bind_text(sql, 2, b->key);
	found = store_step(s, sql, why);
	if (found > 0)
		is_same = sqlite3_column_bytes(sql, 0) == STORE_DIGEST &&
		    memcmp(sqlite3_column_blob(sql, 0), b->digest,
		    STORE_DIGEST) == 0;
	store_reset(sql);
	if (found < 0)
		return store_failure(s);
	if (found == 0)
		return STORE_DONE;
	return is_same ? STORE_DUPLICATE : STORE_CONFLICT;
}

static int
note_key(struct store *s, const struct store_batch *b, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_BATCH_ADD, why);

	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, b->run);
	store_bind_text(sql, 2, b->key);
	(void)sqlite3_bind_blob(sql, 3, b->digest, STORE_DIGEST,
	    SQLITE_STATIC);
	return store_run_sql(s, sql, why);
}

/* The number of a tag set; 0: the run does not have it; -1: why. */
static int64_t
find_tagset(struct store *s, int64_t run, struct span json, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_TAGS_FIND, why);
	int64_t id;

	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, run);
	store_bind_text(sql, 2, json);
	id = store_step(s, sql, why);
	if (id > 0)
		id = sqlite3_column_int64(sql, 0);
	store_reset(sql);
	return id;
}

static int64_t
make_tagset(struct store *s, int64_t run, struct span json, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_TAGS_ADD, why);

	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, run);
	store_bind_text(sql, 2, json);
	if (store_run_sql(s, sql, why) < 0)
		return -1;
	return sqlite3_last_insert_rowid(s->db);
}

static void
bind_series(sqlite3_stmt *sql, int64_t run, const struct store_row *row,
    int64_t tagset)
{
	(void)sqlite3_bind_int64(sql, 1, run);
	store_bind_text(sql, 2, row->metric);
	(void)sqlite3_bind_int(sql, 3, (int)row->type);
	(void)sqlite3_bind_int64(sql, 4, tagset);
}

/* The series of a row and its total so far; 0: it is not there; -1: why. */
static int64_t
find_series(struct store *s, int64_t run, const struct store_row *row,
    int64_t tagset, struct sink *total, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_SERIES_FIND, why);
	int64_t id;

	if (sql == NULL)
		return -1;
	bind_series(sql, run, row, tagset);
	id = store_step(s, sql, why);
	if (id > 0) {
		id = sqlite3_column_int64(sql, 0);
		if (store_get_sink(sql, 1, total) < 0)
			id = why_set(why, "a bad histogram in the database");
	}
	store_reset(sql);
	return id;
}

static int64_t
make_series(struct store *s, int64_t run, const struct store_row *row,
    int64_t tagset, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_SERIES_ADD, why);

	if (sql == NULL)
		return -1;
	bind_series(sql, run, row, tagset);
	if (store_run_sql(s, sql, why) < 0)
		return -1;
	return sqlite3_last_insert_rowid(s->db);
}

/* Add what a second already holds to the sink. */
static int
merge_point(struct store *s, int64_t series, int64_t second,
    struct sink *sink, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_POINT_FIND, why);
	struct sink old = { .type = sink->type };
	int found;

	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, series);
	(void)sqlite3_bind_int64(sql, 2, second);
	found = store_step(s, sql, why);
	if (found > 0 && store_get_sink(sql, 0, &old) < 0)
		found = why_set(why, "a bad histogram in the database");
	store_reset(sql);
	if (found > 0)
		sink_merge(sink, &old);
	sink_release(&old);
	return found < 0 ? -1 : 0;
}

/* Write a point by either statement. */
static int
write_point(struct store *s, enum store_statement which, int64_t series,
    int64_t second, const struct sink *sink, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, which, why);

	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, series);
	(void)sqlite3_bind_int64(sql, 2, second);
	store_bind_sink(s, sql, 3, sink);
	return store_run_sql(s, sql, why);
}

/* Store n rows of one series and one second. Usually the second is new. */
static int
put_point(struct store *s, int64_t series, const struct store_row *rows,
    size_t n, struct why *why)
{
	struct sink sink = { .type = rows->type };
	int64_t second = rows->second;
	int status;
	size_t i;

	for (i = 0; i < n; i++)
		sink_merge(&sink, rows[i].sink);
	status = write_point(s, SQL_POINT_ADD, series, second, &sink, why);
	if (status == 0 && sqlite3_changes(s->db) == 0) {
		status = merge_point(s, series, second, &sink, why);
		if (status == 0)
			status = write_point(s, SQL_POINT_SET, series, second,
			    &sink, why);
	}
	sink_release(&sink);
	return status;
}

/* Store n rows of one series and add them to its total so far. */
static int
put_points(struct store *s, int64_t series, struct sink *total,
    const struct store_row *rows, size_t n, struct why *why)
{
	sqlite3_stmt *sql;
	size_t i, k;

	for (i = 0; i < n; i += k) {
		for (k = 0; i + k < n &&
		    rows[i + k].second == rows[i].second; k++)
			sink_merge(total, rows[i + k].sink);
		if (put_point(s, series, &rows[i], k, why) < 0)
			return -1;
	}
	sql = store_sql(s, SQL_SERIES_SET, why);
	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, series);
	store_bind_sink(s, sql, 2, total);
	return store_run_sql(s, sql, why);
}

/* A batch on its way in. What is past the run's maximum of series is put
 * aside, and stored as one tag set at the end: adding each row to it at once
 * would read and write its histogram as often. */
struct intake {
	struct store *s;
	const struct store_batch *b;
	int64_t n_series;		/* of the run; -1: not yet counted */
	bool has_no_end;		/* while what was put aside is stored */
	struct store_row *aside;	/* owned, their sinks are b's */
	size_t n, cap;
};

/* How many series the run has, those of the maximum. */
static int
count_series(struct intake *in, struct why *why)
{
	int64_t overflow = find_tagset(in->s, in->b->run,
	    span_of(STORE_OVERFLOW), why);
	sqlite3_stmt *sql = store_sql(in->s, SQL_SERIES_COUNT, why);

	if (overflow < 0 || sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, in->b->run);
	(void)sqlite3_bind_int64(sql, 2, overflow);
	if (store_step(in->s, sql, why) == 1)
		in->n_series = sqlite3_column_int64(sql, 0);
	store_reset(sql);
	return in->n_series < 0 ? -1 : 0;
}

/* May the run have n series more? 1, 0, or -1 and why. */
static int
has_room(struct intake *in, size_t n, struct why *why)
{
	if (in->has_no_end)
		return 1;
	if (in->n_series < 0 && count_series(in, why) < 0)
		return -1;
	return in->n_series <= in->b->max_series &&
	    n <= (uint64_t)(in->b->max_series - in->n_series);
}

static void
put_aside(struct intake *in, const struct store_row *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		in->aside = xgrow(in->aside, in->n, &in->cap,
		    sizeof(in->aside[0]));
		in->aside[in->n] = rows[i];
		in->aside[in->n++].tags = span_of(STORE_OVERFLOW);
	}
}

static int
put_series(struct intake *in, int64_t tagset, const struct store_row *rows,
    size_t n, struct why *why)
{
	struct sink total = { .type = rows->type };
	int64_t id = find_series(in->s, in->b->run, rows, tagset, &total, why);
	int room = id == 0 && tagset != 0 ? has_room(in, 1, why) : 1, status;

	if (id == 0 && room == 0) {
		put_aside(in, rows, n);
		return 0;
	}
	if (id == 0 && room == 1) {
		id = make_series(in->s, in->b->run, rows, tagset, why);
		in->n_series += tagset != 0 && in->n_series >= 0;
	}
	status = id <= 0 ? -1 : put_points(in->s, id, &total, rows, n, why);
	sink_release(&total);
	return status;
}

/* How many of n rows, from the first on, are of one series. */
static size_t
rows_of_series(const struct store_row *rows, size_t n)
{
	size_t i;

	for (i = 1; i < n && rows[i].type == rows->type &&
	    span_equal(rows[i].metric, rows->metric); i++)
		;
	return i;
}

/* Store n rows of one tag set. A new one comes in with all its series or not
 * at all, so that a request's numbers stay together. */
static int
put_tagset(struct intake *in, const struct store_row *rows, size_t n,
    struct why *why)
{
	int64_t tagset = rows->tags.n == 0 ? 0 :
	    find_tagset(in->s, in->b->run, rows->tags, why);
	size_t i, k, n_series = 0;
	int room;

	if (tagset < 0)
		return -1;
	if (tagset == 0 && rows->tags.n != 0) {
		for (i = 0; i < n; i += rows_of_series(&rows[i], n - i))
			n_series++;
		room = has_room(in, n_series, why);
		if (room == 0)
			put_aside(in, rows, n);
		if (room <= 0)
			return room;
		tagset = make_tagset(in->s, in->b->run, rows->tags, why);
		if (tagset < 0)
			return -1;
	}
	for (i = 0; i < n; i += k) {
		k = rows_of_series(&rows[i], n - i);
		if (put_series(in, tagset, &rows[i], k, why) < 0)
			return -1;
	}
	return 0;
}

static int
by_series(const void *a, const void *b)
{
	const struct store_row *x = a, *y = b;
	size_t n = x->metric.n < y->metric.n ? x->metric.n : y->metric.n;
	int order = memcmp(x->metric.p, y->metric.p, n);

	if (order != 0)
		return order;
	if (x->metric.n != y->metric.n)
		return x->metric.n < y->metric.n ? -1 : 1;
	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return (x->second > y->second) - (x->second < y->second);
}

static int
put_rows(struct intake *in, struct why *why)
{
	const struct store_row *rows = in->b->rows;
	size_t i, k;

	for (i = 0; i < in->b->n; i += k) {
		for (k = 1; i + k < in->b->n &&
		    span_equal(rows[i + k].tags, rows[i].tags); k++)
			;
		if (put_tagset(in, &rows[i], k, why) < 0)
			return -1;
	}
	if (in->n == 0)
		return 0;
	if (in->n > 0)
		qsort(in->aside, in->n, sizeof(in->aside[0]), by_series);
	in->has_no_end = true;
	return put_tagset(in, in->aside, in->n, why);
}

static int
bump_run(struct store *s, const struct store_batch *b,
    const struct state *old, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_RUN_BUMP, why);
	int64_t first = old->first_ns, last = old->last_ns;

	if (sql == NULL)
		return -1;
	if (b->first_ns != 0 && (first == 0 || b->first_ns < first))
		first = b->first_ns;
	if (b->last_ns != 0 && (last == 0 || b->last_ns > last))
		last = b->last_ns;
	(void)sqlite3_bind_int64(sql, 1, b->run);
	(void)sqlite3_bind_int64(sql, 2, b->now_ns);
	(void)sqlite3_bind_int64(sql, 3, first);
	(void)sqlite3_bind_int64(sql, 4, last);
	(void)sqlite3_bind_int64(sql, 5, b->step_s);
	(void)sqlite3_bind_int64(sql, 6, b->requests);
	(void)sqlite3_bind_int64(sql, 7, b->points);
	(void)sqlite3_bind_int(sql, 8, old->run_status == RUN_TIMED_OUT);
	return store_run_sql(s, sql, why);
}

static enum store_result
put_batch(struct store *s, const struct store_batch *b, struct why *why)
{
	struct intake in = { .s = s, .b = b, .n_series = -1 };
	struct state state;
	enum store_result result = read_state(s, b->run, &state, why);
	int status;

	/* A batch that is known is answered as such even when the run has
	 * ended: its sender may have missed the first answer. */
	if (result == STORE_DONE && b->key.n != 0)
		result = check_key(s, b, why);
	if (result != STORE_DONE)
		return result;
	if (!is_open(&state))
		return STORE_ENDED;
	status = b->key.n != 0 ? note_key(s, b, why) : 0;
	if (status == 0)
		status = put_rows(&in, why);
	free(in.aside);
	if (status == 0)
		status = store_put_slow(s, b, why);
	if (status < 0)
		return store_failure(s);
	return bump_run(s, b, &state, why) < 0 ? store_failure(s)
	    : STORE_DONE;
}

enum store_result
store_batch_add(struct store *s, const struct store_batch *b,
    struct why *why)
{
	if (store_begin(s, why) < 0)
		return store_failure(s);
	return conclude(s, put_batch(s, b, why), why);
}
