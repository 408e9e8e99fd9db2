/* SPDX-License-Identifier: MIT */
/* Looks up the tag sets and series of a batch in few statements, and gathers
 * what is to be written. */
#include <stdlib.h>

#include "k6serve/store/store_bulk_priv.h"

enum { WINDOW = 16384 };	/* rows */

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

static int
read_tagsets(struct store_bulk *k, struct store_stmt *p, const size_t *firsts,
    size_t n, struct why *why)
{
	enum { AT, ID };
	int status = 0;
	int64_t at;

	while (store_next(p, &status, why)) {
		at = store_get_place(p, n, why);
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
		texts[i] = store_text_value(k->rows[firsts[i]].tags);
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
		at = store_get_place(p, n, why);
		if (at < 0) {
			status = -1;
			continue;
		}
		known = &k->known[firsts[at]];
		known->series = store_get_int(p, ID);
		known->total.type = k->rows[firsts[at]].type;
		status = store_get_sink(p, FIRST_OF_SINK, 0, &known->total,
		    why);
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
		keys[n][METRIC] = store_text_value(row->metric);
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
	store_numbers_release(&k->series_numbers);
	store_numbers_release(&k->tagset_numbers);
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
    struct store_numbers *from, const struct store_row *row, struct why *why)
{
	size_t i, n = 0;

	if (from->taken == from->n) {
		for (i = (size_t)(row - k->rows); i < k->n; i++)
			n += is_new(k, i);
		if (store_numbers_reserve(from, k->s, text, n, why) < 0)
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
