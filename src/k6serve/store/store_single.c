/* SPDX-License-Identifier: MIT */
/* Reads and writes tag sets, series and points, with a statement for each. */
#include "k6serve/store/store_single.h"

int64_t
store_single_tagset(struct store *s, int64_t run, struct span json,
    struct why *why)
{
	struct store_stmt p = store_prepare(s,
	    s->engine->texts[ENGINE_FIND_TAGSET], why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, run);
	store_bind_text(&p, json);
	return store_one_int(&p, why);
}

int64_t
store_single_make_tagset(struct store *s, int64_t run, struct span json,
    struct why *why)
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

int64_t
store_single_series(struct store *s, int64_t run, const struct store_row *row,
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
		if (total != NULL && store_get_sink(&p, FIRST_OF_SINK, 0,
		    total, why) < 0)
			id = -1;
	}
	store_reset(&p);
	return id;
}

int64_t
store_single_make_series(struct store *s, int64_t run,
    const struct store_row *row, int64_t tagset, struct why *why)
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
	if (found > 0 && store_get_sink(&p, FIRST_OF_SINK, second, &old,
	    why) < 0)
		found = -1;
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

int
store_single_point(struct store *s, int64_t series, int64_t second,
    struct sink *sink, struct why *why)
{
	static const char insert[] = INTO_POINT "NOTHING";
	static const char replace[] = INTO_POINT "UPDATE SET"
	    " count = excluded.count, nonzero = excluded.nonzero,"
	    " sum = excluded.sum, min = excluded.min, max = excluded.max,"
	    " last = excluded.last, last_ns = excluded.last_ns,"
	    " hist = excluded.hist, exact = excluded.exact";
	int status = write_point(s, insert, series, second, sink, why);

	if (status < 0 || store_changes(s) != 0)
		return status;
	if (merge_point(s, series, second, sink, why) < 0)
		return -1;
	return write_point(s, replace, series, second, sink, why);
}

int
store_single_total(struct store *s, int64_t series, const struct sink *total,
    struct why *why)
{
	static const char update[] = "UPDATE series SET count = ?2,"
	    " nonzero = ?3, sum = ?4, min = ?5, max = ?6, last = ?7,"
	    " last_ns = ?8, hist = ?9, exact = ?10 WHERE id = ?1";
	struct store_stmt p = store_prepare(s, update, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, series);
	store_bind_sink(&p, 0, total);
	return store_run_sql(&p, why);
}
