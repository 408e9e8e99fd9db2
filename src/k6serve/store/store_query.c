/* SPDX-License-Identifier: MIT */
/* The tables of series and points are read. */
#include "k6serve/store/store_query.h"

#include "k6serve/store/store_priv.h"

/* The columns of every statement whose rows read_row reads. */
enum { METRIC, TYPE, TAGS, SECOND, SERIES, FIRST_OF_SINK };

#define SERIES_COLUMNS "SELECT s.metric, s.type, t.json, 0, s.id," \
	" s.count, s.nonzero, s.sum, s.min, s.max, s.last, s.last_ns, s.hist," \
	" s.exact FROM"
#define POINT_COLUMNS "SELECT s.metric, s.type, t.json, p.second, s.id," \
	" p.count, p.nonzero, p.sum, p.min, p.max, p.last, p.last_ns, p.hist," \
	" p.exact FROM"
#define WITH_TAGS " LEFT JOIN tagset t ON t.id = s.tagset"
#define WITH_POINTS " JOIN point p ON p.series = s.id"
#define IS_ASKED " WHERE s.run = ?1 AND s.metric = ?2 AND " \
	STORE_SEES("?3", "?1")

/* The row that a statement stands at, its sink in *sink. -1: why. */
static int
read_row(sqlite3_stmt *sql, bool has_no_hist, struct store_row *row,
    struct sink *sink, struct why *why)
{
	row->metric = store_text(sql, METRIC);
	row->tags = store_text(sql, TAGS);
	row->second = sqlite3_column_int64(sql, SECOND);
	row->series = sqlite3_column_int64(sql, SERIES);
	*sink = (struct sink){ .type = row->type };
	row->sink = sink;
	if (has_no_hist)
		store_get_numbers(sql, FIRST_OF_SINK, sink);
	else if (store_get_sink(sql, FIRST_OF_SINK, sink) < 0)
		return why_set(why, "a bad histogram in the database");
	return 0;
}

/* Hand out the rows of a statement; of one series when its type is given. */
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
		    (enum metric_type)sqlite3_column_int(sql, TYPE);
		status = read_row(sql, q != NULL && q->has_no_hist, &row,
		    &sink, why);
		if (status == 0)
			status = each(ctx, &row);
		sink_release(&sink);
	}
	return status;
}

static int
run_query(struct store *s, const char *select, const struct store_query *q,
    store_row_each *each, void *ctx, struct why *why)
{
	struct store_params p = store_prepare(s, select, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, q->run);
	if (q->metric != NULL)
		store_bind_text(&p, span_of(q->metric));
	else
		store_bind_null(&p);
	store_bind_owner(&p, q->owner);
	return each_row(s, p.sql, q, NULL, each, ctx, why);
}

int
store_series(struct store *s, const struct store_query *q,
    store_row_each *each, void *ctx, struct why *why)
{
	static const char whole[] = SERIES_COLUMNS
	    " series s INDEXED BY whole" WITH_TAGS
	    " WHERE s.run = ?1 AND (?2 IS NULL OR s.metric = ?2) AND "
	    STORE_SEES("?3", "?1") " AND s.tagset = 0 ORDER BY s.metric";
	static const char by_tags[] = SERIES_COLUMNS " series s" WITH_TAGS
	    IS_ASKED " AND s.tagset != 0 ORDER BY s.tagset";

	return run_query(s, q->is_whole ? whole : by_tags, q, each, ctx, why);
}

int
store_points(struct store *s, const struct store_query *q,
    store_row_each *each, void *ctx, struct why *why)
{
	static const char whole[] = POINT_COLUMNS
	    " series s INDEXED BY whole" WITH_POINTS WITH_TAGS
	    IS_ASKED " AND s.tagset = 0 ORDER BY p.second";
	static const char by_tags[] = POINT_COLUMNS " series s" WITH_POINTS
	    WITH_TAGS IS_ASKED " AND s.tagset != 0 ORDER BY p.second";

	return run_query(s, q->is_whole ? whole : by_tags, q, each, ctx, why);
}

/* Does the owner see the run of series ?1? Asked once for a statement. */
#define SEES_SERIES "EXISTS (SELECT 1 FROM series JOIN run" \
	" ON run.id = series.run WHERE series.id = ?1 AND " \
	STORE_IS_SEEN_BY("?2") ")"

int
store_points_of(struct store *s, const struct store_series_query *q,
    store_row_each *each, void *ctx, struct why *why)
{
	static const char select[] = "SELECT '', 0, '', second, series, "
	    STORE_SINK_COLUMNS " FROM point WHERE series = ?1 AND "
	    SEES_SERIES " ORDER BY second";
	struct store_params p = store_prepare(s, select, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, q->series);
	store_bind_owner(&p, q->owner);
	return each_row(s, p.sql, NULL, &q->type, each, ctx, why);
}

int
store_sums(struct store *s, const struct store_series_query *q,
    store_sum_each *each, void *ctx, struct why *why)
{
	static const char select[] = "SELECT second, sum, count FROM point"
	    " WHERE series = ?1 AND " SEES_SERIES " ORDER BY second";
	enum { AT, SUM, COUNT };
	struct store_params p = store_prepare(s, select, why);
	int status = 0;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, q->series);
	store_bind_owner(&p, q->owner);
	while (store_next(s, p.sql, &status, why))
		status = each(ctx, sqlite3_column_int64(p.sql, AT),
		    sqlite3_column_double(p.sql, SUM),
		    (uint64_t)sqlite3_column_int64(p.sql, COUNT));
	return status;
}

int64_t
store_overflow(struct store *s, const char *owner, int64_t run,
    struct why *why)
{
	/* from the few wholes to their series: a run may have many others */
	static const char select[] = "SELECT total(s.count) FROM tagset t"
	    " CROSS JOIN series w INDEXED BY whole CROSS JOIN series s"
	    " WHERE t.run = ?1 AND t.json = ?2"
	    " AND w.run = ?1 AND w.tagset = 0 AND s.run = ?1"
	    " AND s.metric = w.metric AND s.type = w.type"
	    " AND s.tagset = t.id AND " STORE_SEES("?3", "?1");
	struct store_params p = store_prepare(s, select, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, run);
	store_bind_text(&p, span_of(STORE_OVERFLOW));
	store_bind_owner(&p, owner);
	return store_one_int(s, p.sql, why);
}
