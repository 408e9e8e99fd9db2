/* SPDX-License-Identifier: MIT */
/* Deletes what removed runs leave, a few rows at a time: one transaction for a
 * large run would keep senders waiting for many seconds. */
#include "k6serve/store/store_sweep.h"

#include "base/units.h"
#include "k6serve/store/store_lease.h"
#include "k6serve/store/store_priv.h"

/* Rows that are deleted between two looks at the clock. */
#define SOME "256"

void
store_leave_rest(struct store *s, int64_t run)
{
	s->removed.runs = xgrow(s->removed.runs, s->removed.n,
	    &s->removed.cap, sizeof(s->removed.runs[0]));
	s->removed.runs[s->removed.n++] = run;
}

bool
store_has_rest(const struct store *s)
{
	return !s->is_searched || s->removed.n != 0;
}

void
store_sweep_all(struct store *s)
{
	s->is_searched = false;
	store_marks_trim(s);
}

/* Runs that a table has rows of, from one to the next by its index, and that
 * are not there. */
#define LEFT_IN(table) "WITH RECURSIVE r(run) AS (SELECT min(run) FROM " \
	table " UNION ALL SELECT (SELECT min(run) FROM " table \
	" WHERE run > r.run) FROM r WHERE r.run IS NOT NULL)" \
	" SELECT run FROM r WHERE run IS NOT NULL" \
	" AND NOT EXISTS (SELECT 1 FROM run WHERE run.id = r.run)"

/* Find what former processes left. */
static int
search_all(struct store *s, struct why *why)
{
	static const char *const selects[] = { LEFT_IN("series"),
	    LEFT_IN("tagset"), LEFT_IN("batch"), LEFT_IN("slow"),
	    LEFT_IN("instance"), LEFT_IN("started"), LEFT_IN("verdict"),
	    LEFT_IN("hook") };
	struct store_stmt p;
	int status = 0;
	size_t i;

	for (i = 0; i < sizeof(selects) / sizeof(selects[0]); i++) {
		p = store_prepare(s, selects[i], why);
		if (p.sql == NULL)
			return -1;
		while (store_next(&p, &status, why))
			store_leave_rest(s, store_get_int(&p, 0));
		if (status < 0)
			return -1;
	}
	s->is_searched = true;
	return 0;
}

/* Run a statement about one number. How many rows it changed; -1: why. */
static int
change_rows(struct store *s, const char *text, int64_t number,
    struct why *why)
{
	struct store_stmt p = store_prepare(s, text, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, number);
	return store_run_sql(&p, why) < 0 ? -1 :
	    (int)store_changes(s);
}

/* The number that a statement about another finds; 0: none; -1: why. */
static int64_t
find_number(struct store *s, const char *text, int64_t number,
    struct why *why)
{
	struct store_stmt p = store_prepare(s, text, why);

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, number);
	return store_one_int(&p, why);
}

/* Delete some points of a run's first series, or that series. 1, 0: it has no
 * series, or -1 and why. */
static int
sweep_points(struct store *s, int64_t run, struct why *why)
{
	static const char first[] = "SELECT id FROM series WHERE run = ?"
	    " LIMIT 1";
	static const char points[] = "DELETE FROM point WHERE series = ?1"
	    " AND second IN (SELECT second FROM point WHERE series = ?1"
	    " LIMIT " SOME ")";
	static const char itself[] = "DELETE FROM series WHERE id = ?";
	int64_t series = find_number(s, first, run, why);
	int n;

	if (series <= 0)
		return (int)series;
	n = change_rows(s, points, series, why);
	return n != 0 ? (n > 0 ? 1 : -1) : change_rows(s, itself, series, why);
}

/* Delete some rows of a run. 1, 0: it has no more, or -1 and why. */
static int
sweep_some(struct store *s, int64_t run, struct why *why)
{
	static const char *const deletes[] = {
		"DELETE FROM batch WHERE run = ?1 AND key IN (SELECT key"
		    " FROM batch WHERE run = ?1 LIMIT " SOME ")",
		"DELETE FROM tagset WHERE id IN (SELECT id FROM tagset"
		    " WHERE run = ?1 LIMIT " SOME ")",
		"DELETE FROM slow WHERE run = ?1",
		"DELETE FROM instance WHERE run = ?1",
		"DELETE FROM started WHERE run = ?1",
		"DELETE FROM verdict WHERE run = ?1",
		"DELETE FROM hook WHERE run = ?1",
	};
	int n = sweep_points(s, run, why);
	size_t i;

	for (i = 0; n == 0 && i < sizeof(deletes) / sizeof(deletes[0]); i++)
		n = change_rows(s, deletes[i], run, why);
	return n > 0 ? 1 : n;
}

/* Go on with the last of the removed runs. A removal may have been undone with
 * its transaction. */
static int
sweep_last(struct store *s, int64_t until_ns, struct why *why)
{
	static const char is_there[] = "SELECT id FROM run WHERE id = ?";
	int64_t run = s->removed.runs[s->removed.n - 1];
	int64_t found = find_number(s, is_there, run, why);
	int more = found < 0 ? -1 : found == 0;

	while (more > 0) {
		more = sweep_some(s, run, why);
		if (more > 0 && now_monotonic_ns() >= until_ns)
			return 1;
	}
	if (more == 0)
		s->removed.n--;
	return more;
}

int
store_sweep(struct store *s, int64_t until_ns, struct why *why)
{
	int status = 0;

	if (!s->is_searched && search_all(s, why) < 0)
		return -1;
	if (s->removed.n == 0)
		return 0;
	if (store_chore_begin(s, why) < 0)
		return -1;
	while (status == 0 && s->removed.n != 0) {
		status = sweep_last(s, until_ns, why);
		if (now_monotonic_ns() >= until_ns)
			break;
	}
	if (status < 0 || store_commit(s, why) < 0) {
		store_rollback(s);
		s->is_searched = false;	/* some may be forgotten */
		return -1;
	}
	return s->removed.n != 0;
}
