/* SPDX-License-Identifier: MIT */
/* Writes what a batch makes and changes in few statements. */
#include <stdlib.h>

#include "k6serve/store/store_bulk_priv.h"
#include "k6serve/store/store_point_load.h"

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
	row[SERIES_METRIC] = store_text_value(new->row->metric);
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
		row[JSON] = store_text_value(k->tagsets[i].json);
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
	return load_tagsets(k, why) < 0 || load_series(k, why) < 0 ||
	    take_old_points(k, why) < 0 || load_points(k, why) < 0 ? -1 :
	    update_totals(k, why);
}
