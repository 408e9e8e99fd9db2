/* SPDX-License-Identifier: MIT */
/* Reads and writes the series and points of a batch in few statements. */
#include "k6serve/store/store_bulk.h"

#include <stdlib.h>
#include <string.h>

enum { WINDOW = 16384 };	/* rows */

/* The values of a point. */
enum { POINT_SERIES, POINT_SECOND, POINT_SINK, POINT_VALUES = POINT_SINK +
	STORE_SINK_VALUES };

/* What is known of a row's tag set and series; 0: the run does not have it. */
struct bulk_known {
	int64_t tagset, series;
	struct sink total;
};

struct bulk_point {
	int64_t series, second;
	struct sink sink;
	bool is_there;		/* already, and to be replaced */
};

struct bulk_total {
	int64_t series;
	struct sink sink;
};

struct bulk_tagset {
	int64_t id;
	struct span json;	/* of the batch */
};

struct bulk_series {
	int64_t id, tagset;
	const struct store_row *row;	/* its first */
	struct sink total;
};

bool
store_has_bulk(const struct store *s)
{
	return s->engine->texts[ENGINE_FIND_TAGSETS] != NULL;
}

static bool
is_same_tagset(const struct store_row *a, const struct store_row *b)
{
	return span_equal(a->tags, b->tags);
}

static bool
is_same_series(const struct store_row *a, const struct store_row *b)
{
	return a->type == b->type && span_equal(a->metric, b->metric) &&
	    is_same_tagset(a, b);
}

size_t
store_bulk_window(const struct store_row *rows, size_t n)
{
	size_t i;

	if (n <= WINDOW)
		return n;
	for (i = WINDOW; i < n && is_same_tagset(&rows[i], &rows[i - 1]); i++)
		;
	return i;
}

static struct engine_value
text_value(struct span text)
{
	return (struct engine_value){ .type = ENGINE_TEXT, .bytes = text };
}

/* The numbers of rows that begin another group than the row before. */
static size_t *
list_firsts(const struct store_bulk *k, bool (*is_same)(
    const struct store_row *a, const struct store_row *b), size_t *n)
{
	size_t *firsts = xmalloc((k->n + 1) * sizeof(firsts[0])), i;

	*n = 0;
	for (i = 0; i < k->n; i++)
		if (i == 0 || !is_same(&k->rows[i], &k->rows[i - 1]))
			firsts[(*n)++] = i;
	return firsts;
}

/* The place in the arrays that a row tells, from 0; -1: why. */
static int64_t
read_place(struct store_stmt *p, size_t n, struct why *why)
{
	int64_t at = store_get_int(p, 0);

	return at >= 1 && (uint64_t)at <= n ? at - 1 :
	    why_set(why, "the database returned a row that was not asked for");
}

static int
read_tagsets(struct store_bulk *k, struct store_stmt *p, const size_t *firsts,
    size_t n, struct why *why)
{
	enum { AT, ID };
	int status = 0;
	int64_t at;

	while (store_next(p, &status, why)) {
		at = read_place(p, n, why);
		if (at < 0)
			status = -1;
		else
			k->known[firsts[at]].tagset = store_get_int(p, ID);
	}
	return status;
}

static int
find_tagsets(struct store_bulk *k, struct why *why)
{
	size_t n, i, *firsts = list_firsts(k, is_same_tagset, &n);
	struct engine_value *texts = xcalloc(n + 1, sizeof(texts[0]));
	struct store_stmt p = store_prepare(k->s,
	    k->s->engine->texts[ENGINE_FIND_TAGSETS], why);
	int status = -1;

	for (i = 0; i < n; i++)
		texts[i] = text_value(k->rows[firsts[i]].tags);
	if (p.sql != NULL) {
		store_bind_int(&p, k->run);
		store_bind_array(&p, texts, 1, n);
		status = read_tagsets(k, &p, firsts, n, why);
	}
	for (i = 1; i < k->n; i++)
		if (is_same_tagset(&k->rows[i], &k->rows[i - 1]))
			k->known[i].tagset = k->known[i - 1].tagset;
	free(texts);
	free(firsts);
	return status;
}

static int
read_series(struct store_bulk *k, struct store_stmt *p, const size_t *firsts,
    size_t n, struct why *why)
{
	enum { AT, ID, FIRST_OF_SINK };
	struct bulk_known *known;
	int status = 0;
	int64_t at;

	while (store_next(p, &status, why)) {
		at = read_place(p, n, why);
		if (at < 0) {
			status = -1;
			continue;
		}
		known = &k->known[firsts[at]];
		known->series = store_get_int(p, ID);
		known->total.type = k->rows[firsts[at]].type;
		if (store_get_sink(p, FIRST_OF_SINK, 0, &known->total) < 0)
			status = why_set(why, "a bad histogram in the "
			    "database");
	}
	return status;
}

/* Of those whose tag set is there, or that are of all tag sets together. */
static int
find_series(struct store_bulk *k, struct why *why)
{
	enum { METRIC, TYPE, TAGSET, KEYS };
	size_t n_all, n = 0, i, *firsts = list_firsts(k, is_same_series,
	    &n_all);
	struct engine_value (*keys)[KEYS] = xcalloc(n_all + 1,
	    sizeof(keys[0]));
	const struct store_row *row;
	struct store_stmt p;
	int status = 0;

	for (i = 0; i < n_all; i++) {
		row = &k->rows[firsts[i]];
		if (row->tags.n != 0 && k->known[firsts[i]].tagset == 0)
			continue;
		firsts[n] = firsts[i];
		keys[n][METRIC] = text_value(row->metric);
		keys[n][TYPE] = store_int_value((int)row->type);
		keys[n++][TAGSET] = store_int_value(row->tags.n == 0 ? 0 :
		    k->known[firsts[i]].tagset);
	}
	p = store_prepare(k->s, k->s->engine->texts[ENGINE_FIND_SERIES], why);
	if (p.sql == NULL) {
		status = -1;
	} else if (n != 0) {
		store_bind_int(&p, k->run);
		for (i = 0; i < KEYS; i++)
			store_bind_array(&p, &keys[0][i], KEYS, n);
		status = read_series(k, &p, firsts, n, why);
	}
	free(keys);
	free(firsts);
	return status;
}

int
store_bulk_open(struct store_bulk *k, const struct store_row *rows, size_t n,
    struct why *why)
{
	k->rows = rows;
	k->n = n;
	k->known = xcalloc(n + 1, sizeof(k->known[0]));
	return find_tagsets(k, why) < 0 ? -1 : find_series(k, why);
}

void
store_bulk_release(struct store_bulk *k)
{
	size_t i;

	for (i = 0; i < k->n; i++)
		sink_release(&k->known[i].total);
	for (i = 0; i < k->n_points; i++)
		sink_release(&k->points[i].sink);
	for (i = 0; i < k->n_totals; i++)
		sink_release(&k->totals[i].sink);
	for (i = 0; i < k->n_series; i++)
		sink_release(&k->series[i].total);
	free(k->known);
	free(k->points);
	free(k->totals);
	free(k->series);
	free(k->tagsets);
	free(k->series_numbers.of);
	free(k->tagset_numbers.of);
	*k = (struct store_bulk){ .s = k->s, .run = k->run,
	    .last_second = k->last_second };
}

int64_t
store_bulk_tagset(const struct store_bulk *k, const struct store_row *row)
{
	return k->known[row - k->rows].tagset;
}

int64_t
store_bulk_series(struct store_bulk *k, const struct store_row *row,
    struct sink *total)
{
	struct bulk_known *known = &k->known[row - k->rows];

	if (known->series == 0)
		return 0;
	*total = known->total;
	known->total = (struct sink){ .type = row->type };
	return known->series;
}

/* Have n numbers that no row has, nor ever gets. */
static int
reserve(struct store_bulk *k, enum engine_text text, struct bulk_numbers *to,
    size_t n, struct why *why)
{
	struct store_stmt p = store_prepare(k->s, k->s->engine->texts[text],
	    why);
	int status = 0;

	if (p.sql == NULL)
		return -1;
	free(to->of);
	*to = (struct bulk_numbers){ xmalloc(n * sizeof(to->of[0])), 0, 0 };
	store_bind_int(&p, (int64_t)n);
	while (store_next(&p, &status, why))
		if (to->n < n)
			to->of[to->n++] = store_get_int(&p, 0);
	return status == 0 && to->n < n ?
	    why_set(why, "the database gives too few numbers") : status;
}

static bool
is_new_tagset(const struct store_bulk *k, size_t i)
{
	return k->rows[i].tags.n != 0 && k->known[i].tagset == 0 && (i == 0 ||
	    !is_same_tagset(&k->rows[i], &k->rows[i - 1]));
}

static bool
is_new_series(const struct store_bulk *k, size_t i)
{
	return k->known[i].series == 0 && (i == 0 ||
	    !is_same_series(&k->rows[i], &k->rows[i - 1]));
}

/* The number of what is new at a row. When there is none left, they are had for
 * as many as may follow. */
static int64_t
take_number(struct store_bulk *k, enum engine_text text,
    bool (*is_new)(const struct store_bulk *k, size_t i),
    struct bulk_numbers *from, const struct store_row *row, struct why *why)
{
	size_t i, n = 0;

	if (from->taken == from->n) {
		for (i = (size_t)(row - k->rows); i < k->n; i++)
			n += is_new(k, i);
		if (reserve(k, text, from, n, why) < 0)
			return -1;
	}
	return from->of[from->taken++];
}

int64_t
store_bulk_make_tagset(struct store_bulk *k, const struct store_row *row,
    struct why *why)
{
	int64_t id = take_number(k, ENGINE_NEW_TAGSETS, is_new_tagset,
	    &k->tagset_numbers, row, why);

	if (id < 0)
		return -1;
	k->tagsets = xgrow(k->tagsets, k->n_tagsets, &k->cap_tagsets,
	    sizeof(k->tagsets[0]));
	k->tagsets[k->n_tagsets++] = (struct bulk_tagset){ id, row->tags };
	return id;
}

int64_t
store_bulk_make_series(struct store_bulk *k, const struct store_row *row,
    int64_t tagset, struct why *why)
{
	int64_t id = take_number(k, ENGINE_NEW_SERIES, is_new_series,
	    &k->series_numbers, row, why);

	if (id < 0)
		return -1;
	k->series = xgrow(k->series, k->n_series, &k->cap_series,
	    sizeof(k->series[0]));
	k->series[k->n_series++] = (struct bulk_series){ id, tagset, row,
	    { .type = row->type } };
	return id;
}

void
store_bulk_point(struct store_bulk *k, int64_t series, int64_t second,
    struct sink *sink)
{
	k->points = xgrow(k->points, k->n_points, &k->cap_points,
	    sizeof(k->points[0]));
	k->points[k->n_points++] = (struct bulk_point){ series, second, *sink,
	    false };
	*sink = (struct sink){ .type = sink->type };
}

void
store_bulk_total(struct store_bulk *k, int64_t series, struct sink *total)
{
	if (k->n_series != 0 && k->series[k->n_series - 1].id == series) {
		k->series[k->n_series - 1].total = *total;
	} else {
		k->totals = xgrow(k->totals, k->n_totals, &k->cap_totals,
		    sizeof(k->totals[0]));
		k->totals[k->n_totals++] = (struct bulk_total){ series,
		    *total };
	}
	*total = (struct sink){ .type = total->type };
}

/* Bind series and seconds of the points that may be there, or that are. */
static size_t
bind_points(struct store_bulk *k, struct store_stmt *p, size_t *places,
    bool are_there)
{
	enum { SERIES, SECOND, KEYS };
	struct engine_value (*keys)[KEYS] = xcalloc(k->n_points + 1,
	    sizeof(keys[0]));
	const struct bulk_point *point;
	size_t i, n = 0;

	for (i = 0; i < k->n_points; i++) {
		point = &k->points[i];
		if (are_there ? !point->is_there :
		    point->second > k->last_second)
			continue;
		places[n] = i;
		keys[n][SERIES] = store_int_value(point->series);
		keys[n++][SECOND] = store_int_value(point->second);
	}
	if (n != 0) {
		store_bind_array(p, &keys[0][SERIES], KEYS, n);
		store_bind_array(p, &keys[0][SECOND], KEYS, n);
	}
	free(keys);
	return n;
}

/* Add what the points already hold. */
static int
read_points(struct store_bulk *k, struct store_stmt *p, const size_t *places,
    size_t n, struct why *why)
{
	enum { AT, FIRST_OF_SINK };
	struct bulk_point *point;
	struct sink old;
	int status = 0;
	int64_t at;

	while (store_next(p, &status, why)) {
		at = read_place(p, n, why);
		if (at < 0) {
			status = -1;
			continue;
		}
		point = &k->points[places[at]];
		old = (struct sink){ .type = point->sink.type };
		if (store_get_sink(p, FIRST_OF_SINK, point->second, &old) < 0)
			status = why_set(why, "a bad histogram in the "
			    "database");
		else
			sink_merge(&point->sink, &old);
		sink_release(&old);
		point->is_there = true;
	}
	return status;
}

/* Join the points with those that are there, and delete these. */
static int
take_old_points(struct store_bulk *k, struct why *why)
{
	struct store_stmt p = store_prepare(k->s,
	    k->s->engine->texts[ENGINE_FIND_POINTS], why);
	size_t n, *places;
	int status = 0;

	if (p.sql == NULL)
		return -1;
	places = xmalloc((k->n_points + 1) * sizeof(places[0]));
	n = bind_points(k, &p, places, false);
	if (n != 0)
		status = read_points(k, &p, places, n, why);
	p = store_prepare(k->s, k->s->engine->texts[ENGINE_DELETE_POINTS],
	    why);
	if (p.sql == NULL)
		status = -1;
	if (status == 0 && n != 0 && bind_points(k, &p, places, true) != 0)
		status = store_run_sql(&p, why);
	free(places);
	return status;
}

int
store_point_load_begin(struct store_point_load *l, struct store *s,
    struct why *why)
{
	static const char into[] = "point(series, second, "
	    STORE_SINK_COLUMNS ")";

	l->s = s;
	l->load = s->engine->load_begin(s->session, into, POINT_VALUES, why);
	return l->load == NULL ? -1 : 0;
}

int
store_point_load(struct store_point_load *l, int64_t series, int64_t second,
    const struct sink *sink, struct why *why)
{
	struct engine_value row[POINT_VALUES];
	struct buf *blob = &l->s->blob;

	buf_reset(blob);
	row[POINT_SERIES] = store_int_value(series);
	row[POINT_SECOND] = store_int_value(second);
	store_sink_values(sink, second, &row[POINT_SINK], blob);
	store_sink_values_end(&row[POINT_SINK], blob);
	return l->s->engine->load_row(l->load, row, why);
}

int
store_point_load_end(struct store_point_load *l, struct why *why)
{
	return l->s->engine->load_end(l->load, why);
}

/* The values of a new series. */
enum { SERIES_ID, SERIES_RUN, SERIES_METRIC, SERIES_TYPE, SERIES_TAGSET,
	SERIES_SINK, SERIES_VALUES = SERIES_SINK + STORE_SINK_VALUES };

static void
put_series(struct store_bulk *k, const struct bulk_series *new,
    struct engine_value row[SERIES_VALUES])
{
	struct buf *blob = &k->s->blob;

	buf_reset(blob);
	row[SERIES_ID] = store_int_value(new->id);
	row[SERIES_RUN] = store_int_value(k->run);
	row[SERIES_METRIC] = text_value(new->row->metric);
	row[SERIES_TYPE] = store_int_value((int)new->row->type);
	row[SERIES_TAGSET] = store_int_value(new->tagset);
	store_sink_values(&new->total, 0, &row[SERIES_SINK], blob);
	store_sink_values_end(&row[SERIES_SINK], blob);
}

static int
load_tagsets(struct store_bulk *k, struct why *why)
{
	static const char into[] = "tagset(id, run, json)";
	enum { ID, RUN, JSON, VALUES };
	const struct engine *engine = k->s->engine;
	struct engine_value row[VALUES];
	struct engine_load *load;
	int status = 0, ended;
	size_t i;

	if (k->n_tagsets == 0)
		return 0;
	load = engine->load_begin(k->s->session, into, VALUES, why);
	if (load == NULL)
		return -1;
	for (i = 0; i < k->n_tagsets && status == 0; i++) {
		row[ID] = store_int_value(k->tagsets[i].id);
		row[RUN] = store_int_value(k->run);
		row[JSON] = text_value(k->tagsets[i].json);
		status = engine->load_row(load, row, why);
	}
	ended = engine->load_end(load, why);
	return status < 0 ? -1 : ended;
}

static int
load_series(struct store_bulk *k, struct why *why)
{
	static const char into[] = "series(id, run, metric, type, tagset, "
	    STORE_SINK_COLUMNS ")";
	const struct engine *engine = k->s->engine;
	struct engine_value row[SERIES_VALUES];
	struct engine_load *load;
	int status = 0, ended;
	size_t i;

	if (k->n_series == 0)
		return 0;
	load = engine->load_begin(k->s->session, into, SERIES_VALUES, why);
	if (load == NULL)
		return -1;
	for (i = 0; i < k->n_series && status == 0; i++) {
		put_series(k, &k->series[i], row);
		status = engine->load_row(load, row, why);
	}
	ended = engine->load_end(load, why);
	return status < 0 ? -1 : ended;
}

static int
load_points(struct store_bulk *k, struct why *why)
{
	struct store_point_load l;
	int status, ended;
	size_t i;

	if (k->n_points == 0)
		return 0;
	status = store_point_load_begin(&l, k->s, why);
	if (status < 0)
		return -1;
	for (i = 0; i < k->n_points && status == 0; i++)
		status = store_point_load(&l, k->points[i].series,
		    k->points[i].second, &k->points[i].sink, why);
	ended = store_point_load_end(&l, why);
	return status < 0 ? -1 : ended;
}

static int
update_totals(struct store_bulk *k, struct why *why)
{
	enum { ID, FIRST_OF_SINK, COLUMNS = FIRST_OF_SINK +
		STORE_SINK_VALUES };
	struct engine_value (*rows)[COLUMNS];
	struct buf *blob = &k->s->blob;
	struct store_stmt p;
	int status = -1;
	size_t i;

	if (k->n_totals == 0)
		return 0;
	rows = xcalloc(k->n_totals, sizeof(rows[0]));
	buf_reset(blob);
	for (i = 0; i < k->n_totals; i++) {
		rows[i][ID] = store_int_value(k->totals[i].series);
		store_sink_values(&k->totals[i].sink, 0, &rows[i][FIRST_OF_SINK],
		    blob);
	}
	for (i = 0; i < k->n_totals; i++)
		store_sink_values_end(&rows[i][FIRST_OF_SINK], blob);
	p = store_prepare(k->s, k->s->engine->texts[ENGINE_UPDATE_SERIES],
	    why);
	if (p.sql != NULL) {
		for (i = 0; i < COLUMNS; i++)
			store_bind_array(&p, &rows[0][i], COLUMNS,
			    k->n_totals);
		status = store_run_sql(&p, why);
	}
	free(rows);
	return status;
}

int
store_bulk_write(struct store_bulk *k, struct why *why)
{
	return load_tagsets(k, why) < 0 || load_series(k, why) < 0 ||
	    take_old_points(k, why) < 0 || load_points(k, why) < 0 ? -1 :
	    update_totals(k, why);
}

int64_t
store_bulk_count_new(struct store *s, int64_t run,
    const struct store_row *rows, size_t n, struct why *why)
{
	struct store_bulk k = { .s = s, .run = run };
	int64_t count = 0;
	size_t i;

	if (store_bulk_open(&k, rows, n, why) < 0)
		count = -1;
	for (i = 0; i < n && count >= 0; i++)
		count += is_new_series(&k, i);
	store_bulk_release(&k);
	return count;
}
