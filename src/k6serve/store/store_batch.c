/* SPDX-License-Identifier: MIT */
/* Adds a batch to the tables of series and points, once for its key. */
#include "k6serve/store/store_batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "data/run.h"
#include "k6serve/store/store_bulk.h"

/* The number of a tag set; 0: the run does not have it; -1: why. */
static int64_t
find_tagset(struct store *s, int64_t run, struct span json, struct why *why)
{
	struct store_stmt p = store_prepare(s,
	    s->engine->texts[ENGINE_FIND_TAGSET], why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, run);
	store_bind_text(&p, json);
	return store_one_int(&p, why);
}

static int64_t
make_tagset(struct store *s, int64_t run, struct span json, struct why *why)
{
	static const char insert[] = "INSERT INTO tagset(run, json)"
	    " VALUES(?, ?) RETURNING id";
	struct store_stmt p = store_prepare(s, insert, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, run);
	store_bind_text(&p, json);
	return store_one_int(&p, why);
}

static void
bind_series(struct store_stmt *p, int64_t run, const struct store_row *row,
    int64_t tagset)
{
	store_bind_int(p, run);
	store_bind_text(p, row->metric);
	store_bind_int(p, (int)row->type);
	store_bind_int(p, tagset);
}

/* The series of a row and its total so far; 0: it is not there; -1: why. */
static int64_t
find_series(struct store *s, int64_t run, const struct store_row *row,
    int64_t tagset, struct sink *total, struct why *why)
{
	static const char select[] = "SELECT id, " STORE_SINK_COLUMNS
	    " FROM series WHERE run = ? AND metric = ? AND type = ?"
	    " AND tagset = ?";
	enum { ID, FIRST_OF_SINK };
	struct store_stmt p = store_prepare(s, select, why);
	int64_t id;

	if (p.sql == NULL)
		return -1;
	bind_series(&p, run, row, tagset);
	id = store_step(&p, why);
	if (id > 0) {
		id = store_get_int(&p, ID);
		if (store_get_sink(&p, FIRST_OF_SINK, 0, total) < 0)
			id = why_set(why, "a bad histogram in the database");
	}
	store_reset(&p);
	return id;
}

static int64_t
make_series(struct store *s, int64_t run, const struct store_row *row,
    int64_t tagset, struct why *why)
{
	static const char insert[] = "INSERT INTO series(run, metric, type,"
	    " tagset, count, nonzero, sum, min, max, last, last_ns)"
	    " VALUES(?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0) RETURNING id";
	struct store_stmt p = store_prepare(s, insert, why);

	if (p.sql == NULL)
		return -1;
	bind_series(&p, run, row, tagset);
	return store_one_int(&p, why);
}

/* Add what a second already holds to the sink. */
static int
merge_point(struct store *s, int64_t series, int64_t second,
    struct sink *sink, struct why *why)
{
	static const char select[] = "SELECT " STORE_SINK_COLUMNS
	    " FROM point WHERE series = ? AND second = ?";
	enum { FIRST_OF_SINK };
	struct store_stmt p = store_prepare(s, select, why);
	struct sink old = { .type = sink->type };
	int found;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, series);
	store_bind_int(&p, second);
	found = store_step(&p, why);
	if (found > 0 && store_get_sink(&p, FIRST_OF_SINK, second, &old) < 0)
		found = why_set(why, "a bad histogram in the database");
	store_reset(&p);
	if (found > 0)
		sink_merge(sink, &old);
	sink_release(&old);
	return found < 0 ? -1 : 0;
}

#define INTO_POINT "INSERT INTO point(series, second, " STORE_SINK_COLUMNS \
	") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" \
	" ON CONFLICT(series, second) DO "

/* Write a point by either statement. */
static int
write_point(struct store *s, const char *insert, int64_t series,
    int64_t second, const struct sink *sink, struct why *why)
{
	struct store_stmt p = store_prepare(s, insert, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, series);
	store_bind_int(&p, second);
	store_bind_sink(&p, second, sink);
	return store_run_sql(&p, why);
}

/* A batch on its way in. What is past the run's maximum of series is put
 * aside, and stored as one tag set at the end: adding each row to it at once
 * would read and write its histogram as often. */
struct batch_insert {
	struct store *s;
	const struct store_batch *b;
	struct store_bulk *bulk;	/* what is looked up and written at once;
					   NULL: nothing */
	struct store_rolled rolled;	/* of the run */
	int64_t n_series;		/* of the run; -1: not yet counted */
	int64_t tag_bytes;		/* of the run's tag sets, likewise */
	bool has_no_end;		/* while what was put aside is stored */
	struct store_row *aside;	/* owned, their sinks are b's */
	size_t n, cap;
};

/* Store n rows of one series that go to the point of a second. Usually it is
 * new. */
static int
put_point(struct batch_insert *in, int64_t series, int64_t second,
    const struct store_row *rows, size_t n, struct why *why)
{
	static const char insert[] = INTO_POINT "NOTHING";
	static const char replace[] = INTO_POINT "UPDATE SET"
	    " count = excluded.count, nonzero = excluded.nonzero,"
	    " sum = excluded.sum, min = excluded.min, max = excluded.max,"
	    " last = excluded.last, last_ns = excluded.last_ns,"
	    " hist = excluded.hist, exact = excluded.exact";
	struct sink sink = { .type = rows->type };
	struct store *s = in->s;
	int status;
	size_t i;

	for (i = 0; i < n; i++)
		sink_merge(&sink, rows[i].sink);
	if (in->bulk != NULL) {
		store_bulk_point(in->bulk, series, second, &sink);
		return 0;
	}
	status = write_point(s, insert, series, second, &sink, why);
	if (status == 0 && store_changes(s) == 0) {
		status = merge_point(s, series, second, &sink, why);
		if (status == 0)
			status = write_point(s, replace, series, second,
			    &sink, why);
	}
	sink_release(&sink);
	return status;
}

/* Store n rows of one series and add them to its total so far. */
static int
put_points(struct batch_insert *in, int64_t series, struct sink *total,
    const struct store_row *rows, size_t n, struct why *why)
{
	static const char update[] = "UPDATE series SET count = ?2,"
	    " nonzero = ?3, sum = ?4, min = ?5, max = ?6, last = ?7,"
	    " last_ns = ?8, hist = ?9, exact = ?10 WHERE id = ?1";
	struct store_stmt p;
	int64_t second;
	size_t i, k;

	for (i = 0; i < n; i += k) {
		second = store_rolled_second(&in->rolled, rows[i].second);
		for (k = 0; i + k < n && store_rolled_second(&in->rolled,
		    rows[i + k].second) == second; k++)
			sink_merge(total, rows[i + k].sink);
		if (put_point(in, series, second, &rows[i], k, why) < 0)
			return -1;
	}
	if (in->bulk != NULL) {
		store_bulk_total(in->bulk, series, total);
		return 0;
	}
	p = store_prepare(in->s, update, why);
	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, series);
	store_bind_sink(&p, 0, total);
	return store_run_sql(&p, why);
}

/* How many series the run has, those of the maximum, and how many bytes its
 * tag sets. */
static int
count_series(struct batch_insert *in, struct why *why)
{
	static const char select[] = "SELECT count(*) FROM series"
	    " WHERE run = ?1 AND tagset != 0 AND tagset != ?2";
	int64_t overflow = find_tagset(in->s, in->b->run,
	    span_of(STORE_OVERFLOW), why);
	struct store_stmt p = store_prepare(in->s, select, why);

	if (overflow < 0 || p.sql == NULL)
		return -1;
	store_bind_int(&p, in->b->run);
	store_bind_int(&p, overflow);
	in->n_series = store_one_int(&p, why);
	if (in->n_series < 0)
		return -1;
	p = store_prepare(in->s, in->s->engine->texts[ENGINE_TAG_BYTES], why);
	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, in->b->run);
	in->tag_bytes = store_one_int(&p, why);
	return in->tag_bytes < 0 ? -1 : 0;
}

/* May the run have n series more? 1, 0, or -1 and why. */
static int
has_room(struct batch_insert *in, size_t n, struct why *why)
{
	if (in->has_no_end)
		return 1;
	if (in->n_series < 0 && count_series(in, why) < 0)
		return -1;
	return in->n_series <= in->b->max_series &&
	    n <= (uint64_t)(in->b->max_series - in->n_series);
}

static void
put_aside(struct batch_insert *in, const struct store_row *rows, size_t n)
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
put_series(struct batch_insert *in, int64_t tagset,
    const struct store_row *rows, size_t n, struct why *why)
{
	struct sink total = { .type = rows->type };
	int64_t id = in->bulk != NULL ?
	    store_bulk_series(in->bulk, rows, &total) :
	    find_series(in->s, in->b->run, rows, tagset, &total, why);
	int room = id == 0 && tagset != 0 ? has_room(in, 1, why) : 1, status;

	if (id == 0 && room == 0) {
		put_aside(in, rows, n);
		return 0;
	}
	if (id == 0 && room == 1) {
		id = make_series(in->s, in->b->run, rows, tagset, why);
		in->n_series += tagset != 0 && in->n_series >= 0;
	}
	status = id <= 0 ? -1 : put_points(in, id, &total, rows, n, why);
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
put_tagset(struct batch_insert *in, const struct store_row *rows, size_t n,
    struct why *why)
{
	int64_t tagset = rows->tags.n == 0 ? 0 : in->bulk != NULL ?
	    store_bulk_tagset(in->bulk, rows) :
	    find_tagset(in->s, in->b->run, rows->tags, why);
	size_t i, k, n_series = 0;
	int room;

	if (tagset < 0)
		return -1;
	if (tagset == 0 && rows->tags.n != 0) {
		for (i = 0; i < n; i += rows_of_series(&rows[i], n - i))
			n_series++;
		room = has_room(in, n_series, why);
		if (room > 0 && !in->has_no_end && (rows->tags.n >
		    STORE_TAGSET || in->tag_bytes + (int64_t)rows->tags.n >
		    STORE_TAGSETS))
			room = 0;
		if (room == 0)
			put_aside(in, rows, n);
		if (room <= 0)
			return room;
		tagset = make_tagset(in->s, in->b->run, rows->tags, why);
		if (tagset < 0)
			return -1;
		in->tag_bytes += (int64_t)rows->tags.n;
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

/* Store n rows of any tag sets. */
static int
put_tagsets(struct batch_insert *in, const struct store_row *rows, size_t n,
    struct why *why)
{
	size_t i, k;

	for (i = 0; i < n; i += k) {
		for (k = 1; i + k < n &&
		    span_equal(rows[i + k].tags, rows[i].tags); k++)
			;
		if (put_tagset(in, &rows[i], k, why) < 0)
			return -1;
	}
	return 0;
}

/* The same in few statements, some rows at a time. Should a point be there
 * that is later than all the run has, the next try looks for it. */
static int
put_in_bulk(struct batch_insert *in, const struct store_state *old,
    struct why *why)
{
	struct store_bulk bulk = { .s = in->s, .run = in->b->run,
	    .last_second = in->s->looks_up_all ? INT64_MAX :
	    old->data.last_ns / NS_PER_S };
	const struct store_batch *b = in->b;
	int status = 0;
	size_t i, k;

	in->bulk = &bulk;
	for (i = 0; i < b->n && status == 0; i += k) {
		k = store_bulk_window(&b->rows[i], b->n - i);
		status = store_bulk_open(&bulk, &b->rows[i], k, why);
		if (status == 0)
			status = put_tagsets(in, &b->rows[i], k, why);
		if (status == 0)
			status = store_bulk_write(&bulk, why);
		store_bulk_release(&bulk);
	}
	in->bulk = NULL;
	in->s->looks_up_all = status < 0 &&
	    in->s->engine->is_conflict(in->s->session);
	return status;
}

static int
put_rows(struct batch_insert *in, const struct store_state *old,
    struct why *why)
{
	int status = in->s->engine->texts[ENGINE_FIND_TAGSETS] != NULL ?
	    put_in_bulk(in, old, why) :
	    put_tagsets(in, in->b->rows, in->b->n, why);

	if (status < 0 || in->n == 0)
		return status;
	qsort(in->aside, in->n, sizeof(in->aside[0]), by_series);
	in->has_no_end = true;
	return put_tagset(in, in->aside, in->n, why);
}

static int
bump_run(struct store *s, const struct store_batch *b,
    const struct store_state *old, struct why *why)
{
	static const char update[] = "UPDATE run SET seen_ns = ?2,"
	    " first_ns = ?3, last_ns = ?4, step_s = CASE WHEN step_s < ?5"
	    " THEN ?5 ELSE step_s END,"
	    " inner_first_ns = ?9, inner_last_ns = ?10,"
	    " requests = requests + ?6, points = points + ?7,"
	    " is_late = CASE WHEN ?8 != 0 THEN 1 ELSE is_late END,"
	    " run_status = 2,"
	    " version = version + 1 WHERE id = ?1";
	struct store_stmt p = store_prepare(s, update, why);
	struct store_extent data = old->data;

	if (p.sql == NULL)
		return -1;
	store_extent_add(&data, &b->data);
	store_bind_int(&p, b->run);
	store_bind_int(&p, b->now_ns);
	store_bind_int(&p, data.first_ns);
	store_bind_int(&p, data.last_ns);
	store_bind_int(&p, b->step_s);
	store_bind_int(&p, b->requests);
	store_bind_int(&p, b->points);
	store_bind_int(&p, old->run_status == RUN_TIMED_OUT);
	store_touch(s, b->run);
	store_bind_int(&p, data.inner_first_ns);
	store_bind_int(&p, data.inner_last_ns);
	return store_run_sql(&p, why);
}

/* Of n rows with all tag sets together, how many series the run does not have;
 * -1: why. */
static int64_t
count_new(struct store *s, int64_t run, const struct store_row *rows, size_t n,
    struct why *why)
{
	struct sink total = { .type = METRIC_COUNTER };
	int64_t count = 0, id = 0;
	size_t i;

	for (i = 0; i < n && id >= 0; i += rows_of_series(&rows[i], n - i)) {
		total.type = rows[i].type;
		id = find_series(s, run, &rows[i], 0, &total, why);
		count += id == 0;
		sink_release(&total);
		total = (struct sink){ .type = METRIC_COUNTER };
	}
	return id < 0 ? -1 : count;
}

/* Does the run have too many metrics with those of the batch? Their rows are
 * the last ones. */
static enum store_result
check_metrics(struct store *s, const struct store_batch *b, struct why *why)
{
	static const char select[] = "SELECT count(*) FROM series"
	    " INDEXED BY whole WHERE run = ? AND tagset = 0";
	struct store_stmt p = store_prepare(s, select, why);
	size_t first = b->n, i;
	int64_t n, more = 0;

	while (first > 0 && b->rows[first - 1].tags.n == 0)
		first--;
	for (i = first; i < b->n; i += rows_of_series(&b->rows[i], b->n - i))
		more++;
	if (p.sql == NULL)
		return store_failure(s);
	store_bind_int(&p, b->run);
	n = store_one_int(&p, why);
	if (n >= 0 && n + more > STORE_METRICS) {
		more = count_new(s, b->run, &b->rows[first], b->n - first,
		    why);
		n = more < 0 ? -1 : more == 0 ? 0 : n + more;
	}
	if (n < 0)
		return store_failure(s);
	if (n <= STORE_METRICS)
		return STORE_DONE;
	(void)why_set(why, "the run would have more than %d metrics",
	    STORE_METRICS);
	return STORE_TOO_MUCH;
}

static enum store_result
put_batch(struct store *s, const struct store_batch *b, struct why *why)
{
	struct batch_insert in = { .s = s, .b = b, .n_series = -1 };
	struct store_state state;
	enum store_result result = store_state_lock(s, b->owner, b->run,
	    &state, why);
	int status;

	/* A batch that is known is answered as such even when the run has
	 * ended: its sender may have missed the first answer. */
	if (result == STORE_DONE && b->key.n != 0)
		result = store_key_check(s, b, why);
	if (result == STORE_DONE && !store_state_is_open(&state))
		result = STORE_ENDED;
	if (result == STORE_DONE)
		result = store_check_size("the idempotency key", b->key,
		    STORE_KEY, why);
	if (result == STORE_DONE)
		result = check_metrics(s, b, why);
	if (result != STORE_DONE)
		return result;
	if (b->key.n != 0)
		result = store_key_note(s, b, why);
	if (result != STORE_DONE)
		return result;
	in.rolled = state.rolled;
	status = put_rows(&in, &state, why);
	free(in.aside);
	if (status == 0)
		status = store_slow_add(s, b, why);
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
	return store_conclude(s, put_batch(s, b, why), why);
}
