/* SPDX-License-Identifier: MIT */
/* The rows of a run, in pages: a database may hold a result in memory. */
#include "k6serve/store/store_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "k6serve/store/store_priv.h"

#define RUN_COLUMNS "id, create_key, name, project, vus, planned_s," \
	" thresholds, results, run_status, result_status, is_late," \
	" created_ns, seen_ns, ended_ns, first_ns, last_ns, step_s, requests," \
	" points, version, note, agent, owner, start_ns, end_ns," \
	" inner_first_ns, inner_last_ns, is_judged, instances," \
	" judged_version, is_baseline, tens_to, minutes_to, roll_from," \
	" roll_to"
#define SERIES_COLUMNS "id, run, metric, type, tagset, " STORE_SINK_COLUMNS
#define SLOW_COLUMNS "run, time_ns, duration_ns, blocked_ns, connecting_ns," \
	" tls_handshaking_ns, sending_ns, waiting_ns, receiving_ns, failed," \
	" tags"

/* Rows that are read at once, where a table may have many of a run. */
enum { PAGE = 5000 };
enum { SERIES = 1000 };	/* whose points are looked for at once */
#define AT_MOST " LIMIT 5000"

/* Types of columns: I integer, R real, T text, B blob; # the database's number
 * of the row; @ that of its tag set. A select that goes on behind ?2 has it in
 * the column "after"; -1: it gives all rows. +id is no other order, but keeps
 * databases from walking through all runs. */
static const struct table {
	const char *name, *into, *select, *types;
	int after;
} tables[STORE_TABLES] = {
	[STORE_RUN] = { "the run itself", "run(" RUN_COLUMNS ")",
	    "SELECT " RUN_COLUMNS " FROM run WHERE id = ?1",
	    "ITTIIITTIIIIIIIIIIIITTTIIIIIIIIIIII", -1 },
	[STORE_TAG_SETS] = { "tag sets", "tagset(id, run, json)",
	    "SELECT id, run, json FROM tagset WHERE run = ?1 AND +id > ?2"
	    " ORDER BY +id" AT_MOST, "#IT", 0 },
	[STORE_SERIES] = { "series", "series(" SERIES_COLUMNS ")",
	    "SELECT " SERIES_COLUMNS " FROM series WHERE run = ?1 AND +id > ?2"
	    " ORDER BY +id" AT_MOST, "#ITI@IIRRRRIBI", 0 },
	[STORE_POINT] = { "points", "point(series, second, "
	    STORE_SINK_COLUMNS ")", "SELECT series, second, "
	    STORE_SINK_COLUMNS " FROM point WHERE series = ?1 AND second > ?2"
	    " ORDER BY second" AT_MOST, "IIIIRRRRIBI", 1 },
	[STORE_BATCH] = { "keys of batches", "batch(run, key, digest, push,"
	    " requests)", "SELECT run, key, digest, push, requests FROM batch"
	    " WHERE run = ?1 AND key > ?2 ORDER BY key" AT_MOST, "ITBTI", 1 },
	[STORE_SLOW] = { "slow requests", "slow(" SLOW_COLUMNS ")",
	    "SELECT " SLOW_COLUMNS " FROM slow WHERE run = ?1 ORDER BY id",
	    "IIIIIIIIIIT", -1 },
	[STORE_INSTANCE] = { "instances", "instance(run, name, run_status,"
	    " result_status, results, seen_ns)", "SELECT run, name,"
	    " run_status, result_status, results, seen_ns FROM instance"
	    " WHERE run = ?1 ORDER BY name", "ITIITI", -1 },
	[STORE_VERDICT] = { "verdicts", "verdict(run, metric, source, value,"
	    " failed, crossed_ns)", "SELECT run, metric, source, value,"
	    " failed, crossed_ns FROM verdict WHERE run = ?1"
	    " ORDER BY metric, source", "ITTRII", -1 },
	[STORE_STARTED] = { "load tests", NULL, "SELECT s.run, l.project,"
	    " l.name, l.owner, s.hash FROM started s JOIN load_test l"
	    " ON l.id = s.load_test WHERE s.run = ?1", "IITTB", -1 },
	[STORE_HOOK] = { "webhooks", "hook(run, id, told)",
	    "SELECT run, id, told FROM hook WHERE run = ?1", "ITI", -1 },
};

/* A walk over the rows of a run. */
struct walk {
	struct store *s;
	store_row_each *each;
	void *ctx;
	int64_t *tag_sets, *series;	/* numbers, ascending; owned */
	size_t n_tag_sets, tag_sets_cap, n_series, series_cap;
};

/* Where the page ended. */
struct mark {
	int64_t number;
	struct buf text;
};

const char *
store_rows_into(enum store_table table)
{
	return tables[table].into;
}

const char *
store_rows_name(enum store_table table)
{
	return tables[table].name;
}

static int
compare_numbers(const void *a, const void *b)
{
	int64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

/* The place of a tag set among those of the run, from 1; 0 stays; -1: there is
 * none of that number. */
static int64_t
place_of(const struct walk *w, int64_t tag_set)
{
	const int64_t *found;

	if (tag_set == 0 || w->n_tag_sets == 0)
		return tag_set == 0 ? 0 : -1;
	found = bsearch(&tag_set, w->tag_sets, w->n_tag_sets,
	    sizeof(tag_set), compare_numbers);
	return found != NULL ? found - w->tag_sets + 1 : -1;
}

static void
note_number(struct walk *w, enum store_table table, int64_t number)
{
	if (table == STORE_TAG_SETS) {
		w->tag_sets = xgrow(w->tag_sets, w->n_tag_sets,
		    &w->tag_sets_cap, sizeof(number));
		w->tag_sets[w->n_tag_sets++] = number;
	} else {
		w->series = xgrow(w->series, w->n_series, &w->series_cap,
		    sizeof(number));
		w->series[w->n_series++] = number;
	}
}

static struct engine_value
value_of(struct store_stmt *p, int column, char type)
{
	struct engine_value v = { .is_null = store_is_null(p, column) };

	v.type = type == 'R' ? ENGINE_REAL : type == 'T' ? ENGINE_TEXT :
	    type == 'B' ? ENGINE_BLOB : ENGINE_INT;
	if (v.is_null)
		return v;
	if (v.type == ENGINE_REAL)
		v.real = store_get_real(p, column);
	else if (v.type == ENGINE_TEXT)
		v.bytes = store_get_text(p, column);
	else if (v.type == ENGINE_BLOB)
		v.bytes = store_get_blob(p, column);
	else
		v.number = store_get_int(p, column);
	return v;
}

static void
note_mark(struct mark *m, const struct engine_value *v)
{
	m->number = v->number;
	buf_reset(&m->text);
	buf_add(&m->text, v->bytes.p, v->bytes.n);
}

/* Hand on the row where the statement stands. first: the value of its first
 * column, if it is not that of the database. */
static int
hand_on(struct walk *w, enum store_table table, struct store_stmt *p,
    const int64_t *first, struct mark *m, struct why *why)
{
	const struct table *t = &tables[table];
	struct engine_value row[STORE_COLUMNS], v;
	int i, n = 0;

	for (i = 0; t->types[i] != '\0'; i++) {
		v = value_of(p, i, t->types[i]);
		if (i == t->after)
			note_mark(m, &v);
		if (t->types[i] == '@')
			v.number = place_of(w, v.number);
		if (t->types[i] == '#')
			note_number(w, table, v.number);
		else
			row[n++] = v;
	}
	if (first != NULL)
		row[0].number = *first;
	return w->each(w->ctx, table, row, n, why);
}

/* One page. How many rows it had; -1 or what each returned: the end. */
static int
walk_page(struct walk *w, enum store_table table, int64_t key,
    const int64_t *first, struct mark *m, int64_t *rows, struct why *why)
{
	const struct table *t = &tables[table];
	struct store_stmt p = store_prepare(w->s, t->select, why);
	int status = 0;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, key);
	if (t->after >= 0 && t->types[t->after] == 'T')
		store_bind_text(&p, buf_whole(&m->text));
	else if (t->after >= 0)
		store_bind_int(&p, m->number);
	for (*rows = 0; store_next(&p, &status, why); ++*rows)
		status = hand_on(w, table, &p, first, m, why);
	return status;
}

static int
walk_table(struct walk *w, enum store_table table, int64_t key,
    const int64_t *first, struct why *why)
{
	struct mark m = { .number = INT64_MIN };
	int64_t rows = 0;
	int status;

	do
		status = walk_page(w, table, key, first, &m, &rows, why);
	while (status == 0 && tables[table].after >= 0 && rows == PAGE);
	buf_release(&m.text);
	return status;
}

static int
walk_points_each(struct walk *w, struct why *why)
{
	int64_t place;
	int status = 0;
	size_t i;

	for (i = 0; i < w->n_series && status == 0; i++) {
		place = (int64_t)i + 1;
		status = walk_table(w, STORE_POINT, w->series[i], &place,
		    why);
	}
	return status;
}

/* Hand on the point of the next row, of one of n series from at on, behind the
 * mark in the one at *place, which it sets. */
static int
hand_on_point(struct walk *w, size_t at, size_t n, struct store_stmt *p,
    int64_t *place, struct mark *m, struct why *why)
{
	enum { SECOND = 1 };
	int64_t found = store_get_place(p, n, why), first;

	if (found < 0)
		return -1;
	if (found < *place || (found == *place &&
	    store_get_int(p, SECOND) <= m->number))
		return why_set(why, "the database returned points out of"
		    " order");
	*place = found;
	first = (int64_t)at + found + 1;
	return hand_on(w, STORE_POINT, p, &first, m, why);
}

/* The next page of the points of n series from *at on, the first of which was
 * walked up to the mark. *at: of which one the page had its last row; behind
 * them all: it had the last of all. */
static int
walk_points_page(struct walk *w, size_t *at, size_t n, struct mark *m,
    struct why *why)
{
	struct store_stmt p = store_prepare(w->s,
	    w->s->engine->texts[ENGINE_WALK_POINTS], why);
	struct engine_value *series;
	int64_t rows = 0, place = 0;
	int status = 0;
	size_t i;

	if (p.sql == NULL)
		return -1;
	series = xcalloc(n, sizeof(series[0]));
	for (i = 0; i < n; i++)
		series[i] = store_int_value(w->series[*at + i]);
	store_bind_array(&p, series, 1, n);
	store_bind_int(&p, m->number);
	store_bind_int(&p, PAGE);
	for (; store_next(&p, &status, why); rows++)
		status = hand_on_point(w, *at, n, &p, &place, m, why);
	*at += rows == PAGE && status == 0 ? (size_t)place : n;
	if (rows != PAGE)
		m->number = INT64_MIN;
	free(series);
	return status;
}

static int
walk_points(struct walk *w, struct why *why)
{
	struct mark m = { .number = INT64_MIN };
	size_t at = 0, n;
	int status = 0;

	if (w->s->engine->texts[ENGINE_WALK_POINTS] == NULL)
		return walk_points_each(w, why);
	while (at < w->n_series && status == 0) {
		n = w->n_series - at;
		status = walk_points_page(w, &at, n < SERIES ? n : SERIES, &m,
		    why);
	}
	buf_release(&m.text);
	return status;
}

int
store_rows(struct store *s, int64_t run, store_row_each *each, void *ctx,
    struct why *why)
{
	struct walk w = { .s = s, .each = each, .ctx = ctx };
	int status = 0, i;

	for (i = 0; i < STORE_TABLES && status == 0; i++)
		status = i == STORE_POINT ? walk_points(&w, why) :
		    walk_table(&w, (enum store_table)i, run, NULL, why);
	free(w.tag_sets);
	free(w.series);
	return status;
}

/* -0 is 0, as SQLite keeps it. */
void
store_tally_add(struct store_tally *t, enum store_table table,
    const struct engine_value *row, int n)
{
	uint64_t sum = t->sums[table], words[STORE_COLUMNS + 1], nulls = 0;
	double real;
	int i;

	for (i = 0; i < n; i++) {
		real = row[i].real == 0 ? 0 : row[i].real;
		nulls = nulls << 1 | row[i].is_null;
		if (row[i].is_null || row[i].type == ENGINE_INT)
			words[i] = (uint64_t)row[i].number;
		else if (row[i].type == ENGINE_REAL)
			memcpy(&words[i], &real, sizeof(real));
		else
			words[i] = hash_bytes(row[i].bytes.n, row[i].bytes.p !=
			    NULL ? row[i].bytes.p : "", row[i].bytes.n);
	}
	words[n++] = nulls;
	t->sums[table] = hash_bytes(sum, words, (size_t)n * sizeof(words[0]));
	t->rows[table]++;
}

static int
add_row(void *ctx, enum store_table table, const struct engine_value *row,
    int n, struct why *why)
{
	(void)why;
	store_tally_add(ctx, table, row, n);
	return 0;
}

int
store_tally_take(struct store *s, int64_t run, struct store_tally *t,
    struct why *why)
{
	*t = (struct store_tally){ .rows = { 0 } };
	return store_rows(s, run, add_row, t, why);
}

enum store_table
store_tally_compare(const struct store_tally *a, const struct store_tally *b)
{
	int i = 0;

	while (i < STORE_TABLES && a->rows[i] == b->rows[i] &&
	    a->sums[i] == b->sums[i])
		i++;
	return (enum store_table)i;
}
