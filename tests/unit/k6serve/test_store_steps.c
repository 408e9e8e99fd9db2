/* SPDX-License-Identifier: MIT */
/* Sums by steps of some seconds, of several series. */
#include "k6serve/store/store_steps.c"

#include "base/units.h"
#include "k6serve/store/store_batch.h"
#include "k6serve/store_runs_fixture.h"

enum { SERIES = 6, STEPS = 4 };

/* A value in each of these seconds for each series. */
static const int64_t seconds[] = { -4, -3, 0, 8, 9, 10 };

static void
fill(struct store *s, int64_t run)
{
	struct store_row rows[6];
	struct sink sinks[6];
	struct store_batch b = { .run = run, .key = SPAN(""), .rows = rows,
	    .n = 6, .max_series = 9, .data = { 1, 1, 1, 1 }, .step_s = 1 };
	char metric[2] = "a";
	struct why why;
	int i, k;

	for (k = 0; k < SERIES; k++, metric[0]++) {
		for (i = 0; i < 6; i++) {
			sinks[i] = (struct sink){ .type = METRIC_COUNTER };
			sink_add(&sinks[i], k + 1, seconds[i] * NS_PER_S);
			rows[i] = (struct store_row){ span_of(metric),
			    METRIC_COUNTER, { NULL, 0 }, seconds[i],
			    &sinks[i], 0 };
		}
		CHECK(store_batch_add(s, &b, &why) == STORE_DONE);
	}
}

static int
note_series(void *ctx, const struct store_row *row)
{
	int64_t *series = ctx;

	series[row->metric.p[0] - 'a'] = row->series;
	return 0;
}

struct got {
	size_t at[SERIES * STEPS];
	int64_t begin[SERIES * STEPS];
	double sum[SERIES * STEPS];
	uint64_t count[SERIES * STEPS];
	size_t n;
};

static int
note_step(void *ctx, size_t at, int64_t begin, double sum, uint64_t count)
{
	struct got *g = ctx;

	CHECK(g->n < SERIES * STEPS);
	g->at[g->n] = at;
	g->begin[g->n] = begin;
	g->sum[g->n] = sum;
	g->count[g->n++] = count;
	return 0;
}

/* Five seconds in a step, before 1970, too: -5, 0, 5 and 10. */
static void
adds_up(void)
{
	static const int64_t begins[] = { -5, 0, 5, 10 };
	static const uint64_t counts[] = { 2, 1, 2, 1 };
	struct store *s = open_new();
	int64_t run = new_run(s, SPAN("")), series[SERIES] = { 0 };
	struct store_query all = { .owner = ANY, .run = run,
	    .is_whole = true };
	struct store_steps_query q = { .owner = ANY, .run = run,
	    .series = series, .n = SERIES, .step_s = 5 };
	struct got g = { .n = 0 };
	struct why why;
	size_t i;

	fill(s, run);
	CHECK(store_series(s, &all, note_series, series, &why) == 0);
	CHECK(store_steps(s, &q, note_step, &g, &why) == 0);
	CHECK(g.n == SERIES * STEPS);
	for (i = 0; i < g.n; i++)
		CHECK(g.at[i] == i / STEPS && g.begin[i] == begins[i % STEPS]
		    && g.count[i] == counts[i % STEPS] && g.sum[i] ==
		    (double)((i / STEPS + 1) * counts[i % STEPS]));
	g.n = 0;
	q.from = 9;
	q.n = 1;
	CHECK(store_steps(s, &q, note_step, &g, &why) == 0);
	CHECK(g.n == 2 && g.begin[0] == 5 && g.count[0] == 1);
	close_and_remove(s);
}

static int
note_sum(void *ctx, size_t at, int64_t begin, double sum, uint64_t count)
{
	double *sums = ctx;

	(void)at;
	(void)count;
	sums[begin / 10] = sum;
	return 0;
}

/* A point of each second, from 0 on; steps of 10. */
static void
past_all_doubles(void)
{
	static const double values[3][4] = { { DBL_MAX, DBL_MAX, 1, -DBL_MAX },
	    { 1e308, 1e308, 0.25 }, { -1e308, -1e308, 7 } };
	struct store *s = open_new();
	int64_t run = new_run(s, SPAN("")), series[SERIES] = { 0 };
	struct store_query all = { .owner = ANY, .run = run,
	    .is_whole = true };
	struct store_steps_query q = { .owner = ANY, .run = run,
	    .series = series, .n = 1, .step_s = 10 };
	struct sink sink = { .type = METRIC_COUNTER };
	struct store_row row = { SPAN("a"), METRIC_COUNTER, { NULL, 0 }, 0,
	    &sink, 0 };
	struct store_batch b = { .run = run, .key = SPAN(""), .rows = &row,
	    .n = 1, .max_series = 9, .data = { 1, 1, 1, 1 }, .step_s = 1 };
	double sums[3];
	struct why why;
	int i, k;

	for (i = 0; i < 3; i++)
		for (k = 0; k < 4; k++) {
			sink = (struct sink){ .type = METRIC_COUNTER };
			sink_add(&sink, values[i][k], 1);
			row.second = i * 10 + k;
			CHECK(store_batch_add(s, &b, &why) == STORE_DONE);
		}
	CHECK(store_series(s, &all, note_series, series, &why) == 0);
	CHECK(store_steps(s, &q, note_sum, sums, &why) == 0);
	CHECK(sums[0] == DBL_MAX && sums[1] == DBL_MAX && sums[2] == -DBL_MAX);
	close_and_remove(s);
}

/* A series of another run, or of no run, has nothing. */
static void
of_the_run(void)
{
	struct store *s = open_new();
	int64_t run = new_run(s, SPAN("")), other = new_run(s, SPAN("o"));
	int64_t series[SERIES] = { 0 };
	struct store_query all = { .owner = ANY, .run = run,
	    .is_whole = true };
	struct store_steps_query q = { .owner = ANY, .run = other,
	    .series = series, .n = SERIES, .step_s = 5 };
	struct got g = { .n = 0 };
	struct why why;

	fill(s, run);
	CHECK(store_series(s, &all, note_series, series, &why) == 0);
	CHECK(store_steps(s, &q, note_step, &g, &why) == 0 && g.n == 0);
	q.run = run;
	q.n = 0;
	CHECK(store_steps(s, &q, note_step, &g, &why) == 0 && g.n == 0);
	close_and_remove(s);
}

int
main(void)
{
	test("values add up by steps, series by series", adds_up);
	test("a sum past all doubles stays at the largest", past_all_doubles);
	test("only series of the run are read", of_the_run);
	return tap_end();
}
