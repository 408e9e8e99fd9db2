/* SPDX-License-Identifier: MIT */
/* Writes what a batch makes and changes in few statements. */
#include <stdlib.h>

#include "k6serve/store/store_bulk_priv.h"
#include "k6serve/store/store_load.h"

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
		at = store_get_place(p, n, why);
		if (at < 0) {
			status = -1;
			continue;
		}
		point = &k->points[places[at]];
		old = (struct sink){ .type = point->sink.type };
		status = store_get_sink(p, FIRST_OF_SINK, point->second, &old,
		    why);
		if (status == 0)
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

static bool
put_tagset(void *ctx, size_t i, struct engine_value *row)
{
	enum { ID, RUN, JSON };
	const struct store_bulk *k = ctx;

	row[ID] = store_int_value(k->tagsets[i].id);
	row[RUN] = store_int_value(k->run);
	row[JSON] = store_text_value(k->tagsets[i].json);
	return true;
}

static bool
put_series(void *ctx, size_t i, struct engine_value *row)
{
	enum { ID, RUN, METRIC, TYPE, TAGSET, FIRST_OF_SINK };
	const struct store_bulk *k = ctx;
	const struct bulk_series *new = &k->series[i];
	struct buf *blob = &k->s->blob;

	buf_reset(blob);
	row[ID] = store_int_value(new->id);
	row[RUN] = store_int_value(k->run);
	row[METRIC] = store_text_value(new->row->metric);
	row[TYPE] = store_int_value((int)new->row->type);
	row[TAGSET] = store_int_value(new->tagset);
	store_sink_values(&new->total, 0, &row[FIRST_OF_SINK], blob);
	store_sink_values_end(&row[FIRST_OF_SINK], blob);
	return true;
}

static bool
put_point(void *ctx, size_t i, struct engine_value *row)
{
	const struct store_bulk *k = ctx;
	const struct bulk_point *point = &k->points[i];

	store_point_values(k->s, point->series, point->second, &point->sink,
	    row);
	return true;
}

static int
load_new(struct store_bulk *k, struct why *why)
{
	const struct store_load tagsets = { "tagset(id, run, json)", 3,
	    k->n_tagsets, put_tagset, k };
	const struct store_load series = { "series(id, run, metric, type,"
	    " tagset, " STORE_SINK_COLUMNS ")", 5 + STORE_SINK_VALUES,
	    k->n_series, put_series, k };

	return store_load(k->s, &tagsets, why) < 0 ? -1 :
	    store_load(k->s, &series, why);
}

static int
load_points(struct store_bulk *k, struct why *why)
{
	const struct store_load points = { STORE_POINT_INTO,
	    STORE_POINT_COLUMNS, k->n_points, put_point, k };

	return store_load(k->s, &points, why);
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
		store_sink_values(&k->totals[i].sink, 0,
		    &rows[i][FIRST_OF_SINK], blob);
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
	return load_new(k, why) < 0 || take_old_points(k, why) < 0 ||
	    load_points(k, why) < 0 ? -1 : update_totals(k, why);
}
