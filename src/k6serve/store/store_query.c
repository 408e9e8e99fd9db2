/* SPDX-License-Identifier: MIT */
/* Reads the tables of series and points. */
#include "k6serve/store/store_query.h"

#include <string.h>

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
#define IS_IN_PART " AND p.second >= ?4 AND p.second < ?5"
#define IS_ASKED " WHERE s.run = ?1 AND s.metric = ?2 AND " \
	STORE_SEES("?3", "?1")

/* The row that a statement stands at, its sink in *sink. -1: why. */
static int
read_row(struct store_stmt *p, bool has_no_hist, struct store_row *row,
    struct sink *sink, struct why *why)
{
	row->metric = store_get_text(p, METRIC);
	row->tags = store_get_text(p, TAGS);
	row->second = store_get_int(p, SECOND);
	row->series = store_get_int(p, SERIES);
	*sink = (struct sink){ .type = row->type };
	row->sink = sink;
	if (has_no_hist)
		store_get_numbers(p, FIRST_OF_SINK, row->second, sink);
	else if (store_get_sink(p, FIRST_OF_SINK, row->second, sink, why) < 0)
		return -1;
	return 0;
}

/* Hand out the rows of a statement; of one series when its type is given. */
static int
each_row(struct store_stmt *p, const struct store_query *q,
    const enum metric_type *type, store_row_each *each, void *ctx,
    struct why *why)
{
	struct store_row row;
	struct sink sink;
	int status = 0;

	while (store_next(p, &status, why)) {
		row.type = type != NULL ? *type :
		    (enum metric_type)(int)store_get_int(p, TYPE);
		status = read_row(p, q != NULL && q->has_no_hist, &row,
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
	bool has_part = strstr(select, "?5") != NULL;
	struct store_stmt p = store_prepare(s, select, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, q->run);
	if (q->metric != NULL)
		store_bind_text(&p, span_of(q->metric));
	else
		store_bind_null(&p, ENGINE_TEXT);
	store_bind_owner(&p, q->owner);
	if (has_part)
		store_bind_int(&p, q->from != 0 ? q->from : INT64_MIN);
	if (has_part)
		store_bind_int(&p, q->to != 0 ? q->to : INT64_MAX);
	return each_row(&p, q, NULL, each, ctx, why);
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
	static const char part[] = POINT_COLUMNS
	    " series s INDEXED BY whole" WITH_POINTS WITH_TAGS
	    " WHERE s.run = ?1 AND (?2 IS NULL OR s.metric = ?2) AND "
	    STORE_SEES("?3", "?1") " AND s.tagset = 0" IS_IN_PART
	    " ORDER BY s.metric, p.second";
	static const char part_by_tags[] = POINT_COLUMNS " series s"
	    WITH_POINTS WITH_TAGS IS_ASKED " AND s.tagset != 0" IS_IN_PART
	    " ORDER BY s.tagset, p.second";

	if (q->to != 0)
		return run_query(s, q->is_whole ? part : part_by_tags, q, each,
		    ctx, why);
	return run_query(s, q->is_whole ? whole : by_tags, q, each, ctx, why);
}

int
store_points(struct store *s, const struct store_query *q,
    store_row_each *each, void *ctx, struct why *why)
{
	static const char whole[] = POINT_COLUMNS
	    " series s INDEXED BY whole" WITH_POINTS WITH_TAGS
	    IS_ASKED " AND s.tagset = 0" IS_IN_PART " ORDER BY p.second";
	static const char by_tags[] = POINT_COLUMNS " series s" WITH_POINTS
	    WITH_TAGS IS_ASKED " AND s.tagset != 0" IS_IN_PART
	    " ORDER BY p.second";

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
	    SEES_SERIES " AND second >= ?3 ORDER BY second";
	struct store_stmt p = store_prepare(s, select, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, q->series);
	store_bind_owner(&p, q->owner);
	store_bind_int(&p, q->from != 0 ? q->from : INT64_MIN);
	return each_row(&p, NULL, &q->type, each, ctx, why);
}

int
store_first_nonzero(struct store *s, const struct store_series_query *q,
    int64_t *second, struct why *why)
{
	static const char select[] = "SELECT second FROM point"
	    " WHERE series = ?1 AND nonzero > 0 AND " SEES_SERIES
	    " ORDER BY second LIMIT 1";
	struct store_stmt p = store_prepare(s, select, why);
	int status = 0;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, q->series);
	store_bind_owner(&p, q->owner);
	while (store_next(&p, &status, why))
		*second = store_get_int(&p, 0);
	return status;
}

int64_t
store_overflow(struct store *s, const char *owner, int64_t run,
    struct why *why)
{
	/* from the few wholes to their series: a run may have many others */
	static const char select[] = "SELECT CAST(coalesce(sum(s.count), 0)"
	    " AS bigint) FROM tagset t"
	    " CROSS JOIN series w INDEXED BY whole CROSS JOIN series s"
	    " WHERE t.run = ?1 AND t.json = ?2"
	    " AND w.run = ?1 AND w.tagset = 0 AND s.run = ?1"
	    " AND s.metric = w.metric AND s.type = w.type"
	    " AND s.tagset = t.id AND " STORE_SEES("?3", "?1");
	struct store_stmt p = store_prepare(s, select, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, run);
	store_bind_text(&p, span_of(STORE_OVERFLOW));
	store_bind_owner(&p, owner);
	return store_one_int(&p, why);
}
