/* SPDX-License-Identifier: MIT */
/*
 * Adds the rows of a batch to the tables of tag sets, series and points: one by
 * one, or many at once, where the engine has statements for that.
 */
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/units.h"
#include "k6serve/store/store_batch_priv.h"
#include "k6serve/store/store_bulk.h"
#include "k6serve/store/store_single.h"

/* A batch on its way in. What is past the run's maximum of series is put
 * aside, and stored as one tag set at the end: adding each row to it at once
 * would read and write its histogram as often. */
struct batch_insert {
	struct store *s;
	const struct store_batch *b;
	struct store_bulk *bulk;	/* what is looked up and written at
					   once; NULL: nothing */
	struct store_rolled rolled;	/* of the run */
	int64_t n_series;		/* of the run; -1: not yet counted */
	int64_t tag_bytes;		/* of the run's tag sets, likewise */
	bool has_no_end;		/* while what was put aside is stored */
	struct store_row *aside;	/* owned, their sinks are b's */
	size_t n, cap;
};

/* Store n rows of one series that go to the point of a second. */
static int
put_point(struct batch_insert *in, int64_t series, int64_t second,
    const struct store_row *rows, size_t n, struct why *why)
{
	struct sink sink = { .type = rows->type };
	int status = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sink_merge(&sink, rows[i].sink);
	if (in->bulk != NULL)
		store_bulk_point(in->bulk, series, second, &sink);
	else
		status = store_single_point(in->s, series, second, &sink, why);
	sink_release(&sink);
	return status;
}

/* Store n rows of one series and add them to its total so far. */
static int
put_points(struct batch_insert *in, int64_t series, struct sink *total,
    const struct store_row *rows, size_t n, struct why *why)
{
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
	return store_single_total(in->s, series, total, why);
}

/* How many series the run has, those of the maximum, and how many bytes its
 * tag sets. */
static int
count_series(struct batch_insert *in, struct why *why)
{
	static const char select[] = "SELECT count(*) FROM series"
	    " WHERE run = ?1 AND tagset != 0 AND tagset != ?2";
	int64_t overflow = store_single_tagset(in->s, in->b->run,
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

static int64_t
find_series(struct batch_insert *in, const struct store_row *row,
    int64_t tagset, struct sink *total, struct why *why)
{
	return in->bulk != NULL ? store_bulk_series(in->bulk, row, total) :
	    store_single_series(in->s, in->b->run, row, tagset, total, why);
}

static int64_t
make_series(struct batch_insert *in, const struct store_row *row,
    int64_t tagset, struct why *why)
{
	return in->bulk != NULL ?
	    store_bulk_make_series(in->bulk, row, tagset, why) :
	    store_single_make_series(in->s, in->b->run, row, tagset, why);
}

static int64_t
find_tagset(struct batch_insert *in, const struct store_row *row,
    struct why *why)
{
	if (row->tags.n == 0)
		return 0;
	return in->bulk != NULL ? store_bulk_tagset(in->bulk, row) :
	    store_single_tagset(in->s, in->b->run, row->tags, why);
}

static int64_t
make_tagset(struct batch_insert *in, const struct store_row *row,
    struct why *why)
{
	return in->bulk != NULL ? store_bulk_make_tagset(in->bulk, row, why) :
	    store_single_make_tagset(in->s, in->b->run, row->tags, why);
}

static int
put_series(struct batch_insert *in, int64_t tagset,
    const struct store_row *rows, size_t n, struct why *why)
{
	struct sink total = { .type = rows->type };
	int64_t id = find_series(in, rows, tagset, &total, why);
	int room = id == 0 && tagset != 0 ? has_room(in, 1, why) : 1, status;

	if (id == 0 && room == 0) {
		put_aside(in, rows, n);
		return 0;
	}
	if (id == 0 && room == 1) {
		id = make_series(in, rows, tagset, why);
		in->n_series += tagset != 0 && in->n_series >= 0;
	}
	status = id <= 0 ? -1 : put_points(in, id, &total, rows, n, why);
	sink_release(&total);
	return status;
}

size_t
store_batch_same_series(const struct store_row *rows, size_t n)
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
	int64_t tagset = find_tagset(in, rows, why);
	size_t i, k, n_series = 0;
	int room;

	if (tagset < 0)
		return -1;
	if (tagset == 0 && rows->tags.n != 0) {
		for (i = 0; i < n; n_series++)
			i += store_batch_same_series(&rows[i], n - i);
		room = has_room(in, n_series, why);
		if (room > 0 && !in->has_no_end && (rows->tags.n >
		    STORE_TAGSET || in->tag_bytes + (int64_t)rows->tags.n >
		    STORE_TAGSETS))
			room = 0;
		if (room == 0)
			put_aside(in, rows, n);
		if (room <= 0)
			return room;
		tagset = make_tagset(in, rows, why);
		if (tagset < 0)
			return -1;
		in->tag_bytes += (int64_t)rows->tags.n;
	}
	for (i = 0; i < n; i += k) {
		k = store_batch_same_series(&rows[i], n - i);
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

/* The same in few statements, some rows at a time. No point is later than
 * last_second; should there be one, the next try looks for it. */
static int
put_in_bulk(struct batch_insert *in, const struct store_row *rows, size_t n,
    int64_t last_second, struct why *why)
{
	struct store_bulk bulk = { .s = in->s, .run = in->b->run,
	    .last_second = in->s->looks_up_all ? INT64_MAX : last_second };
	int status = 0;
	size_t i, k;

	in->bulk = &bulk;
	for (i = 0; i < n && status == 0; i += k) {
		k = store_bulk_window(&rows[i], n - i);
		status = store_bulk_open(&bulk, &rows[i], k, why);
		if (status == 0)
			status = put_tagsets(in, &rows[i], k, why);
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
put_rows(struct batch_insert *in, const struct store_row *rows, size_t n,
    int64_t last_second, struct why *why)
{
	return store_has_bulk(in->s) ?
	    put_in_bulk(in, rows, n, last_second, why) :
	    put_tagsets(in, rows, n, why);
}

/* What is put aside goes to a tag set of which the batch may have had points
 * just now. */
static int
put_rest(struct batch_insert *in, struct why *why)
{
	if (in->n == 0)
		return 0;
	qsort(in->aside, in->n, sizeof(in->aside[0]), by_series);
	in->has_no_end = true;
	return put_rows(in, in->aside, in->n, INT64_MAX, why);
}

int
store_batch_put(struct store *s, const struct store_batch *b,
    const struct store_state *state, struct why *why)
{
	struct batch_insert in = { .s = s, .b = b, .rolled = state->rolled,
	    .n_series = -1 };
	int status = put_rows(&in, b->rows, b->n, num_floor_div(
	    state->data.last_ns, NS_PER_S), why);

	if (status == 0)
		status = put_rest(&in, why);
	free(in.aside);
	return status;
}
