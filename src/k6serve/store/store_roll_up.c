/* SPDX-License-Identifier: MIT */
/* Reads the points of a series in order, and writes them again, joined. */
#include "k6serve/store/store_roll_up.h"

#include <stdlib.h>

#include "base/num.h"
#include "base/units.h"
#include "k6serve/store/store_lease.h"
#include "k6serve/store/store_load.h"

enum { MOST_S = 3600 };	/* joined between two notes in the run's row */

/* The run's row, and the seconds from .. before to whose points are being
 * joined; to is 0 if none are. */
struct rolling {
	int64_t run;
	struct store_rolled rolled;
	int64_t from, to;
};

/* Joined points of one series. */
struct joined {
	struct joined_point {
		int64_t second;		/* its first */
		struct sink sink;
	} *points;			/* owned */
	size_t n, cap;
	bool has_changed;		/* they are not those that were read */
};

static void
joined_release(struct joined *j)
{
	size_t i;

	for (i = 0; i < j->n; i++)
		sink_release(&j->points[i].sink);
	free(j->points);
}

static void
join(struct joined *j, int64_t second, int64_t begin, const struct sink *sink)
{
	struct joined_point *p = j->n > 0 ? &j->points[j->n - 1] : NULL;

	j->has_changed |= begin != second;
	if (p == NULL || p->second != begin) {
		j->points = xgrow(j->points, j->n, &j->cap,
		    sizeof(j->points[0]));
		p = &j->points[j->n++];
		*p = (struct joined_point){ begin, { .type = sink->type } };
	}
	sink_merge(&p->sink, sink);
}

static int
read_joined(struct store *s, const struct rolling *g, int64_t series,
    enum metric_type type, struct joined *j, struct why *why)
{
	static const char select[] = "SELECT second, " STORE_SINK_COLUMNS
	    " FROM point WHERE series = ?1 AND second >= ?2 AND second < ?3"
	    " ORDER BY second";
	enum { SECOND, FIRST_OF_SINK };
	struct store_stmt p = store_prepare(s, select, why);
	struct sink sink;
	int64_t second;
	int status = 0;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, series);
	store_bind_int(&p, g->from);
	store_bind_int(&p, g->to);
	while (store_next(&p, &status, why)) {
		second = store_get_int(&p, SECOND);
		sink = (struct sink){ .type = type };
		status = store_get_sink(&p, FIRST_OF_SINK, second, &sink, why);
		if (status == 0)
			join(j, second, store_rolled_second(&g->rolled,
			    second), &sink);
		sink_release(&sink);
	}
	return status;
}

/* A series whose points are loaded. */
struct joined_series {
	struct store *s;
	int64_t series;
	const struct joined *j;
};

static bool
put_joined(void *ctx, size_t i, struct engine_value *row)
{
	const struct joined_series *of = ctx;
	const struct joined_point *p = &of->j->points[i];

	store_point_values(of->s, of->series, p->second, &p->sink, row);
	return true;
}

static int
load_joined(struct store *s, int64_t series, const struct joined *j,
    struct why *why)
{
	struct joined_series of = { s, series, j };
	const struct store_load load = { STORE_POINT_INTO,
	    STORE_POINT_COLUMNS, j->n, put_joined, &of };

	return store_load(s, &load, why);
}

static int
write_joined(struct store *s, const struct rolling *g, int64_t series,
    const struct joined *j, struct why *why)
{
	static const char delete[] = "DELETE FROM point WHERE series = ?1"
	    " AND second >= ?2 AND second < ?3";
	struct store_stmt p = store_prepare(s, delete, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, series);
	store_bind_int(&p, g->from);
	store_bind_int(&p, g->to);
	return store_run_sql(&p, why) < 0 ? -1 :
	    load_joined(s, series, j, why);
}

static int
roll_up_series(struct store *s, const struct rolling *g, int64_t series,
    enum metric_type type, struct why *why)
{
	struct joined j = { .n = 0 };
	int status = read_joined(s, g, series, type, &j, why);

	if (status == 0 && j.has_changed)
		status = write_joined(s, g, series, &j, why);
	joined_release(&j);
	return status;
}

static int
read_page(struct store_roll_up_page *page, struct store_stmt *p,
    struct why *why)
{
	enum { ID, TYPE };
	int status = 0;

	for (page->n = page->done = 0; store_next(p, &status, why);
	    page->n++) {
		page->series[page->n].id = store_get_int(p, ID);
		page->series[page->n].type = (enum metric_type)store_get_int(p,
		    TYPE);
	}
	return status;
}

/* The next ones of all, or of those of VUs, behind a number. */
static int
find_page(struct store *s, const struct rolling *g, bool are_vus,
    int64_t after, struct store_roll_up_page *page, struct why *why)
{
	static const char all[] = "SELECT id, type FROM series"
	    " WHERE run = ?1 AND +id > ?2 ORDER BY +id LIMIT ?3";
	static const char vus[] = "SELECT id, type FROM series"
	    " WHERE run = ?1 AND metric = 'vus' AND +id > ?2 ORDER BY +id"
	    " LIMIT ?3";
	struct store_stmt p = store_prepare(s, are_vus ? vus : all, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, g->run);
	store_bind_int(&p, after);
	store_bind_int(&p, STORE_ROLL_UP_PAGE);
	return read_page(page, &p, why);
}

/* Join the points of the next series of a page; its number, or -1 and why. */
static int64_t
roll_up_next(struct store *s, const struct rolling *g,
    struct store_roll_up_page *page, struct why *why)
{
	int at = page->done++;

	return roll_up_series(s, g, page->series[at].id,
	    page->series[at].type, why) < 0 ? -1 : page->series[at].id;
}

/* The VUs of several generators add up within a point, and so all of theirs
 * change at a time. */
static int
roll_up_vus(struct store *s, const struct rolling *g, struct why *why)
{
	struct store_roll_up_page page = { .n = 0 };
	int64_t last = 0;

	do {
		if (find_page(s, g, true, last, &page, why) < 0)
			return -1;
		while (page.done < page.n && last >= 0)
			last = roll_up_next(s, g, &page, why);
	} while (page.n == STORE_ROLL_UP_PAGE && last >= 0);
	return last < 0 ? -1 : 0;
}

/* Go on with the page that is known: to find one takes long, in a run of many
 * series. What is made meanwhile has no points to be joined. 1: there is more;
 * 0; -1: why. */
static int
roll_up_all(struct store *s, const struct rolling *g, struct store_roll_up *r,
    int64_t until_ns, struct why *why)
{
	struct store_roll_up_page *page = &r->page;

	for (;;) {
		/* the last page is not a whole one */
		if (page->done == page->n && page->n % STORE_ROLL_UP_PAGE != 0)
			return 0;
		if (page->done == page->n &&
		    find_page(s, g, false, r->series, page, why) < 0)
			return -1;
		if (page->n == 0)
			return 0;
		r->series = roll_up_next(s, g, page, why);
		if (r->series < 0)
			return -1;
		if (now_monotonic_ns() >= until_ns)
			return 1;
	}
}

/* The first second from one on that has a point. 1, 0: none has, -1: why. All
 * tag sets together have one wherever one of them has. */
static int
find_first(struct store *s, int64_t run, int64_t from, int64_t *first,
    struct why *why)
{
	static const char select[] = "SELECT min(t.first) FROM (SELECT"
	    " (SELECT min(second) FROM point WHERE series = s.id"
	    " AND second >= ?2) AS first FROM series s INDEXED BY whole"
	    " WHERE s.run = ?1 AND s.tagset = 0) t";
	struct store_stmt p = store_prepare(s, select, why);
	int found;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, run);
	store_bind_int(&p, from);
	found = store_step(&p, why);
	if (found > 0 && store_is_null(&p, 0))
		found = 0;
	if (found > 0)
		*first = store_get_int(&p, 0);
	store_reset(&p);
	return found;
}

static int
read_rolling(struct store *s, struct rolling *g, struct why *why)
{
	static const char select[] = "SELECT roll_from, roll_to FROM run"
	    " WHERE id = ?";
	enum { FROM, TO };
	struct store_stmt p = store_prepare(s, select, why);
	int found;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, g->run);
	found = store_step(&p, why);
	if (found > 0) {
		g->from = store_get_int(&p, FROM);
		g->to = store_get_int(&p, TO);
	}
	store_reset(&p);
	return found < 0 ? -1 : 0;
}

/* Note how far the run is rolled up. Its data have changed for those who show
 * them, not for its verdict. */
static int
note_begin(struct store *s, const struct rolling *g, int64_t step_s,
    struct why *why)
{
	static const char update[] = "UPDATE run SET tens_to = ?2,"
	    " minutes_to = ?3, roll_from = ?4, roll_to = ?5,"
	    " step_s = CASE WHEN step_s < ?6 THEN ?6 ELSE step_s END,"
	    " judged_version = CASE WHEN judged_version = version"
	    " THEN version + 1 ELSE judged_version END,"
	    " version = version + 1 WHERE id = ?1";
	struct store_stmt p = store_prepare(s, update, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, g->run);
	store_bind_int(&p, g->rolled.tens_to);
	store_bind_int(&p, g->rolled.minutes_to);
	store_bind_int(&p, g->from);
	store_bind_int(&p, g->to);
	store_bind_int(&p, step_s);
	return store_run_sql(&p, why);
}

static int
note_end(struct store *s, const struct rolling *g, struct why *why)
{
	static const char update[] = "UPDATE run SET roll_from = 0,"
	    " roll_to = 0 WHERE id = ?";
	struct store_stmt p = store_prepare(s, update, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, g->run);
	return store_run_sql(&p, why);
}

/* Choose the seconds to be joined next, and note it. 1: there are some, or more
 * to choose from, 0: it is done, -1: why. */
static int
begin(struct store *s, struct rolling *g, const struct store_roll_up *r,
    struct why *why)
{
	int64_t done = store_rolled_to(&g->rolled, r->step_s), to = r->until;
	int64_t first = INT64_MAX;
	int found;

	if (r->step_s == 0 || (done != 0 && done >= r->until))
		return 0;
	found = find_first(s, r->run, done != 0 ? done : INT64_MIN, &first,
	    why);
	if (found < 0)
		return -1;
	if (found > 0 && first < to) {
		g->from = num_floor_to(first, STORE_ROLLED_S);
		if (to > g->from + MOST_S)
			to = g->from + MOST_S;
		to = to != 0 ? to : STORE_ROLLED_S;	/* 0 is no end */
		g->to = to;
	}
	if (r->step_s == STORE_MINUTES_S)
		g->rolled.minutes_to = to;
	else
		g->rolled.tens_to = to;
	if (note_begin(s, g, g->to != 0 ? r->step_s : 1, why) < 0)
		return -1;
	return g->to == 0 ? 0 : roll_up_vus(s, g, why) < 0 ? -1 : 1;
}

/* 1: there is more; 0; -1: why. */
static int
roll_up_some(struct store *s, struct store_roll_up *r, int64_t until_ns,
    struct why *why)
{
	struct rolling g = { .run = r->run };
	struct store_state state;
	enum store_result result = store_state_lock(s, store_everybody, r->run,
	    &state, why);
	int status;

	if (result != STORE_DONE)
		return result == STORE_NO_RUN ? 0 : -1;
	g.rolled = state.rolled;
	if (read_rolling(s, &g, why) < 0)
		return -1;
	status = g.to != 0 ? 1 : begin(s, &g, r, why);
	if (status <= 0)
		return status;
	if (r->from != g.from || r->to != g.to)
		r->series = r->page.n = r->page.done = 0;
	r->from = g.from;
	r->to = g.to;
	status = roll_up_all(s, &g, r, until_ns, why);
	if (status == 0)
		status = note_end(s, &g, why) < 0 ? -1 : 1;
	return status;
}

int
store_roll_up(struct store *s, struct store_roll_up *r, int64_t until_ns,
    struct why *why)
{
	int64_t from = r->from, to = r->to, series = r->series;
	int status;

	if (store_chore_begin(s, why) < 0)
		return -1;
	status = roll_up_some(s, r, until_ns, why);
	if (status < 0 || store_commit(s, why) < 0) {
		store_rollback(s);
		r->from = from;
		r->to = to;
		r->series = series;
		r->page.n = r->page.done = 0;	/* to be read again */
		return -1;
	}
	return status;
}
