/* SPDX-License-Identifier: MIT */
/* Runs are made, fed and ended. */
#include "data/run.h"
#include "io/store_priv.h"

/* Run a statement that gives one row or none. 1: it stands at the row, to be
 * read before reset_sql; 0: no row; -1: why. */
static int
step_one(struct store *s, sqlite3_stmt *sql, struct why *why)
{
	int step = sqlite3_step(sql);

	if (step == SQLITE_ROW)
		return 1;
	if (step == SQLITE_DONE)
		return 0;
	return store_why(s, why);
}

static void
reset_sql(sqlite3_stmt *sql)
{
	(void)sqlite3_reset(sql);
	(void)sqlite3_clear_bindings(sql);
}

/* End a transaction the way its work went; a failed one is undone. */
static enum store_result
conclude(struct store *s, enum store_result result, struct why *why)
{
	if (result == STORE_DONE && store_commit(s, why) < 0)
		result = store_failure(s);
	if (result != STORE_DONE)
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
	id = step_one(s, sql, why);
	if (id > 0)
		id = sqlite3_column_int64(sql, 0);
	reset_sql(sql);
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
	int64_t first_ns, last_ns, seen_ns;
};

static enum store_result
read_state(struct store *s, int64_t id, struct state *state, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_RUN_STATE, why);
	int found;

	if (sql == NULL)
		return store_failure(s);
	(void)sqlite3_bind_int64(sql, 1, id);
	found = step_one(s, sql, why);
	if (found > 0) {
		state->run_status = sqlite3_column_int(sql, 0);
		state->first_ns = sqlite3_column_int64(sql, 1);
		state->last_ns = sqlite3_column_int64(sql, 2);
		state->seen_ns = sqlite3_column_int64(sql, 3);
	}
	reset_sql(sql);
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
	if (state.run_status != RUN_RUNNING)
		return STORE_ENDED;
	sql = store_sql(s, SQL_RUN_END, why);
	if (sql == NULL)
		return store_failure(s);
	(void)sqlite3_bind_int64(sql, 1, r->id);
	(void)sqlite3_bind_int(sql, 2, r->run_status);
	(void)sqlite3_bind_int(sql, 3, r->result_status);
	store_bind_text(sql, 4, r->results);
	(void)sqlite3_bind_int64(sql, 5, r->ended_ns);
	return store_run_sql(s, sql, why) < 0 ? store_failure(s) : STORE_DONE;
}

enum store_result
store_run_end(struct store *s, const struct store_run *r, struct why *why)
{
	if (store_begin(s, why) < 0)
		return store_failure(s);
	return conclude(s, update_end(s, r, why), why);
}

/* Note the batch's key. The same content again is a duplicate. */
static enum store_result
claim_key(struct store *s, const struct store_batch *b, struct why *why)
{
	sqlite3_stmt *sql = store_sql(s, SQL_BATCH_FIND, why);
	int found, is_same = 0;

	if (sql == NULL)
		return store_failure(s);
	(void)sqlite3_bind_int64(sql, 1, b->run);
	store_bind_text(sql, 2, b->key);
	found = step_one(s, sql, why);
	if (found > 0)
		is_same = sqlite3_column_bytes(sql, 0) == STORE_DIGEST &&
		    memcmp(sqlite3_column_blob(sql, 0), b->digest,
		    STORE_DIGEST) == 0;
	reset_sql(sql);
	if (found < 0)
		return store_failure(s);
	if (found > 0)
		return is_same ? STORE_DUPLICATE : STORE_CONFLICT;
	sql = store_sql(s, SQL_BATCH_ADD, why);
	if (sql == NULL)
		return store_failure(s);
	(void)sqlite3_bind_int64(sql, 1, b->run);
	store_bind_text(sql, 2, b->key);
	(void)sqlite3_bind_blob(sql, 3, b->digest, STORE_DIGEST,
	    SQLITE_STATIC);
	return store_run_sql(s, sql, why) < 0 ? store_failure(s) : STORE_DONE;
}

/* The number of a tag set; made if need be; 0 is "all together"; -1: why. */
static int64_t
tagset_id(struct store *s, int64_t run, struct span json, struct why *why)
{
	sqlite3_stmt *sql;
	int64_t id;

	if (json.n == 0)
		return 0;
	sql = store_sql(s, SQL_TAGS_FIND, why);
	if (sql == NULL)
		return -1;
	(void)sqlite3_bind_int64(sql, 1, run);
	store_bind_text(sql, 2, json);
	id = step_one(s, sql, why);
	if (id > 0)
		id = sqlite3_column_int64(sql, 0);
	reset_sql(sql);
	if (id != 0)
		return id;
	sql = store_sql(s, SQL_TAGS_ADD, why);
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

/* The series of a row and its total so far; made if need be. -1: why. */
static int64_t
open_series(struct store *s, int64_t run, const struct store_row *row,
    struct sink *total, struct why *why)
{
	int64_t tagset = tagset_id(s, run, row->tags, why), id;
	sqlite3_stmt *sql;

	if (tagset < 0 || (sql = store_sql(s, SQL_SERIES_FIND, why)) == NULL)
		return -1;
	bind_series(sql, run, row, tagset);
	id = step_one(s, sql, why);
	if (id > 0) {
		id = sqlite3_column_int64(sql, 0);
		if (store_get_sink(sql, 1, total) < 0)
			id = why_set(why, "a bad histogram in the database");
	}
	reset_sql(sql);
	if (id != 0)
		return id;
	sql = store_sql(s, SQL_SERIES_ADD, why);
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
	found = step_one(s, sql, why);
	if (found > 0 && store_get_sink(sql, 0, &old) < 0)
		found = why_set(why, "a bad histogram in the database");
	reset_sql(sql);
	if (found > 0)
		sink_merge(sink, &old);
	sink_release(&old);
	return found < 0 ? -1 : 0;
}

static int
put_point(struct store *s, int64_t series, const struct store_row *row,
    struct why *why)
{
	struct sink sink = { .type = row->type };
	sqlite3_stmt *sql;
	int status;

	sink_merge(&sink, row->sink);
	status = merge_point(s, series, row->second, &sink, why);
	sql = status == 0 ? store_sql(s, SQL_POINT_SET, why) : NULL;
	if (sql != NULL) {
		(void)sqlite3_bind_int64(sql, 1, series);
		(void)sqlite3_bind_int64(sql, 2, row->second);
		store_bind_sink(s, sql, 3, &sink);
		status = store_run_sql(s, sql, why);
	}
	sink_release(&sink);
	return sql == NULL ? -1 : status;
}

static bool
same_series(const struct store_row *a, const struct store_row *b)
{
	return a->type == b->type && span_equal(a->metric, b->metric) &&
	    span_equal(a->tags, b->tags);
}

/* Store the rows of one series and its total. Returns how many they were;
 * 0: why. */
static size_t
put_series(struct store *s, const struct store_batch *b, size_t first,
    struct why *why)
{
	const struct store_row *row = &b->rows[first];
	struct sink total = { .type = row->type };
	int64_t id = open_series(s, b->run, row, &total, why);
	int status = id < 0 ? -1 : 0;
	sqlite3_stmt *sql;
	size_t i;

	for (i = first; status == 0 && i < b->n &&
	    same_series(row, &b->rows[i]); i++) {
		status = put_point(s, id, &b->rows[i], why);
		sink_merge(&total, b->rows[i].sink);
	}
	sql = status == 0 ? store_sql(s, SQL_SERIES_SET, why) : NULL;
	if (sql != NULL) {
		(void)sqlite3_bind_int64(sql, 1, id);
		store_bind_sink(s, sql, 2, &total);
		status = store_run_sql(s, sql, why);
	}
	sink_release(&total);
	return sql != NULL && status == 0 ? i - first : 0;
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
	(void)sqlite3_bind_int(sql, 8, old->seen_ns < b->timed_out_ns);
	return store_run_sql(s, sql, why);
}

static enum store_result
put_batch(struct store *s, const struct store_batch *b, struct why *why)
{
	struct state state;
	enum store_result result = read_state(s, b->run, &state, why);
	size_t i, n;

	/* A batch that is known is answered as such even when the run has
	 * ended: its sender may have missed the first answer. */
	if (result == STORE_DONE && b->key.n != 0)
		result = claim_key(s, b, why);
	if (result != STORE_DONE)
		return result;
	if (state.run_status != RUN_RUNNING)
		return STORE_ENDED;
	for (i = 0; i < b->n; i += n) {
		n = put_series(s, b, i, why);
		if (n == 0)
			return store_failure(s);
	}
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
