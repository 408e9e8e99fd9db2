/* SPDX-License-Identifier: MIT */
/* Adds up many series by steps: in the database, or row by row. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/num.h"
#include "k6serve/store/store_priv.h"
#include "k6serve/store/store_query.h"

/* A result is in memory: after a look at a few series no more than this. */
enum { ROWS = 100000, FIRST_SERIES = 4 };

/* A sum on its way, so that it can pass all doubles and come back, in each
 * database the same: what is large is added up by itself, and smaller by a
 * power of two, which rounds nothing. ENGINE_STEPS has the same numbers. */
struct parts {
	double small, large;
};
#define LARGE 1e290
enum { SCALE = 64 };		/* the power */

static void
add_value(struct parts *p, double value)
{
	if (fabs(value) < LARGE)
		p->small += value;
	else
		p->large += ldexp(value, -SCALE);
}

/* A sum past all doubles stays at the largest, as a total does. */
static double
join_parts(const struct parts *p)
{
	double sum = p->small + ldexp(p->large, SCALE);

	return isinf(sum) && isfinite(p->large) ? copysign(DBL_MAX, sum) :
	    sum;
}

/* A step while its rows are read. */
struct step {
	int64_t begin;
	struct parts sum;
	uint64_t count;
	bool has_rows;
};

static int
end_step(struct step *step, size_t at, store_step_each *each, void *ctx)
{
	struct step ended = *step;

	*step = (struct step){ .has_rows = false };
	return ended.has_rows ? each(ctx, at, ended.begin, join_parts(
	    &ended.sum), ended.count) : 0;
}

static int
add_row(struct step *step, const struct store_steps_query *q, size_t at,
    struct store_stmt *p, store_step_each *each, void *ctx)
{
	enum { SECOND, SUM, COUNT };
	int64_t begin = num_floor_to(store_get_int(p, SECOND), q->step_s);
	int status = 0;

	if (begin != step->begin)
		status = end_step(step, at, each, ctx);
	step->begin = begin;
	step->has_rows = true;
	add_value(&step->sum, store_get_real(p, SUM));
	step->count += (uint64_t)store_get_int(p, COUNT);
	return status;
}

static int
add_up(struct store *s, const struct store_steps_query *q, size_t at,
    store_step_each *each, void *ctx, struct why *why)
{
	static const char select[] = "SELECT second, sum, count FROM point"
	    " WHERE series = ?1 AND EXISTS (SELECT 1 FROM series JOIN run"
	    " ON run.id = series.run WHERE series.id = ?1 AND run.id = ?2"
	    " AND " STORE_IS_SEEN_BY("?3") ") AND second >= ?4"
	    " ORDER BY second";
	struct store_stmt p = store_prepare(s, select, why);
	struct step step = { .has_rows = false };
	int status = 0;

	if (p.sql == NULL)
		return -1;
	store_bind_int(&p, q->series[at]);
	store_bind_int(&p, q->run);
	store_bind_owner(&p, q->owner);
	store_bind_int(&p, q->from != 0 ? q->from : INT64_MIN);
	while (store_next(&p, &status, why))
		status = add_row(&step, q, at, &p, each, ctx);
	return status != 0 ? status : end_step(&step, at, each, ctx);
}

/* n series from the first on, added up by the database. */
static int
read_steps(struct store *s, const struct store_steps_query *q, size_t first,
    size_t n, size_t *rows, store_step_each *each, void *ctx, struct why *why)
{
	enum { AT, BEGIN, SMALL, LARGE_SCALED, COUNT };
	struct engine_value *series = xcalloc(n, sizeof(series[0]));
	struct store_stmt p = store_prepare(s,
	    s->engine->texts[ENGINE_STEPS], why);
	int status = p.sql == NULL ? -1 : 0;
	struct parts sum;
	size_t i;

	*rows = 0;
	for (i = 0; i < n; i++)
		series[i] = store_int_value(q->series[first + i]);
	if (status == 0) {
		store_bind_int(&p, q->run);
		store_bind_owner(&p, q->owner);
		store_bind_array(&p, series, 1, n);
		store_bind_int(&p, q->from != 0 ? q->from : INT64_MIN);
		store_bind_int(&p, q->step_s);
		for (; store_next(&p, &status, why); ++*rows) {
			sum.small = store_get_real(&p, SMALL);
			sum.large = store_get_real(&p, LARGE_SCALED);
			status = each(ctx, first + (size_t)store_get_int(&p,
			    AT) - 1, store_get_int(&p, BEGIN),
			    join_parts(&sum),
			    (uint64_t)store_get_int(&p, COUNT));
		}
	}
	free(series);
	return status;
}

int
store_steps(struct store *s, const struct store_steps_query *q,
    store_step_each *each, void *ctx, struct why *why)
{
	size_t at = 0, n = FIRST_SERIES, rows;
	int status = 0;

	if (s->engine->texts[ENGINE_STEPS] == NULL) {
		for (; at < q->n && status == 0; at++)
			status = add_up(s, q, at, each, ctx, why);
		return status;
	}
	while (at < q->n && status == 0) {
		if (n > q->n - at)
			n = q->n - at;
		status = read_steps(s, q, at, n, &rows, each, ctx, why);
		at += n;
		n = ROWS / (rows / n + 1) + 1;
	}
	return status;
}
