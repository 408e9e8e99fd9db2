/* SPDX-License-Identifier: MIT */
/* Rolling up changes the steps of a run, and nothing else. */
#include "k6serve/store/store_roll_up.c"

#include "data/run.h"
#include "k6serve/store/store_batch.h"
#include "k6serve/store/store_run.h"
#include "k6serve/store_fixture.h"
#include "tap.h"

#define ANY store_everybody

enum { SECONDS = 600, EACH = 4 };

/* All points of a series, added up. */
struct sum {
	struct sink sink;
	int64_t n, first, last, step_s;
};

static int
add_point(void *ctx, const struct store_row *row)
{
	struct sum *sum = ctx;

	CHECK(sum->n == 0 || row->second > sum->last);
	CHECK(sum->step_s == 0 || row->second % sum->step_s == 0);
	if (sum->n++ == 0)
		sum->first = row->second;
	sum->last = row->second;
	sink_merge(&sum->sink, row->sink);
	return 0;
}

static struct sum
sum_of(struct store *s, int64_t run, const char *metric, int64_t step_s)
{
	struct store_query q = { .owner = ANY, .run = run, .metric = metric };
	struct sum sum = { .sink = { .type = metric[0] == 't' ? METRIC_TREND :
	    METRIC_RATE }, .step_s = step_s };
	struct why why;

	CHECK(store_points(s, &q, add_point, &sum, &why) == 0);
	return sum;
}

static void
check_equal(struct sink *a, struct sink *b)
{
	struct buf x = { 0 }, y = { 0 };

	CHECK(a->count == b->count && a->nonzero == b->nonzero);
	CHECK(a->min == b->min && a->max == b->max);
	CHECK(a->last == b->last && a->last_ns == b->last_ns);
	CHECK(total_value(&a->sum) == total_value(&b->sum) &&
	    a->sum.millionths == b->sum.millionths &&
	    a->sum.rest == b->sum.rest);
	hist_encode(&a->hist, &x);
	hist_encode(&b->hist, &y);
	CHECK(x.n == y.n && (x.n == 0 || memcmp(x.p, y.p, x.n) == 0));
	buf_release(&x);
	buf_release(&y);
}

/* Rows of a trend and a rate with one tag set, and of all tag sets together: one
 * for each of some seconds, which are before 1970 and after. */
struct rows {
	struct store_row rows[4 * SECONDS];
	struct sink sinks[4 * SECONDS];
	size_t n;
};

static void
fill(struct rows *all, int first, int n)
{
	bool is_trend;
	int64_t second;
	int i, k;

	all->n = 4 * (size_t)n;
	for (i = 0; i < 4 * n; i++) {
		is_trend = i / n % 2 == 0;
		second = (int64_t)first + i % n;
		all->sinks[i] = (struct sink){ .type = is_trend ?
		    METRIC_TREND : METRIC_RATE };
		for (k = 0; k < EACH; k++)
			sink_add(&all->sinks[i], is_trend ?
			    (double)((second + 3) * 7 + k * 333) / 10 :
			    (second + 3 + k) % 3 == 0, second * EACH + k);
		all->rows[i] = (struct store_row){ is_trend ? SPAN("trend") :
		    SPAN("rate"), all->sinks[i].type, i < 2 * n ?
		    SPAN("{\"a\":\"b\"}") : SPAN(""), second,
		    &all->sinks[i], 0 };
	}
}

static void
feed(struct store *s, int64_t run, const char *key, int first, int n)
{
	static const unsigned char digest[STORE_DIGEST];
	static struct rows all;
	struct store_batch b = { .owner = ANY, .run = run, .key = span_of(key),
	    .digest = digest, .rows = all.rows, .max_series = 9, .step_s = 1,
	    .now_ns = 1 };
	struct why why;
	size_t i;

	fill(&all, first, n);
	b.n = all.n;
	CHECK(store_batch_add(s, &b, &why) == STORE_DONE);
	for (i = 0; i < all.n; i++)
		sink_release(&all.sinks[i]);
}

static int64_t
new_run(struct store *s)
{
	struct store_run r = { .name = SPAN("n"), .thresholds = SPAN("{}") };
	struct why why;

	CHECK(store_run_add(s, &r, SPAN(""), &why) == STORE_DONE);
	return r.id;
}

/* In each of many seconds, from -3 on. */
static int64_t
make_run(struct store *s)
{
	int64_t run = new_run(s);

	feed(s, run, "k", -3, SECONDS);
	return run;
}

static void
end_run(struct store *s, int64_t run)
{
	struct store_run r = { .id = run, .run_status = RUN_FINISHED,
	    .results = SPAN("{}"), .ended_ns = 2 };
	struct why why;

	CHECK(store_run_end(s, ANY, &r, &why) == STORE_DONE);
}

static int
see_step(void *ctx, const struct store_run *r)
{
	*(int64_t *)ctx = r->step_s;
	return 0;
}

static int64_t
step_of(struct store *s, int64_t run)
{
	struct store_run_query q = { .owner = ANY, .id = run };
	int64_t step_s = 0;
	struct why why;

	CHECK(store_runs(s, &q, see_step, &step_s, &why) == 0);
	return step_s;
}

static void
adds_up(void)
{
	static const char *const metrics[] = { "trend", "rate" };
	struct store *s = open_new();
	int64_t run = make_run(s), other = make_run(s);
	struct store_roll_up tens = { .run = run, .step_s = 10, .until = 660 },
	    minutes = { .run = run, .step_s = 60, .until = 660 };
	struct sum before[2], after;
	struct why why;
	int i, slices = 1;

	end_run(s, run);
	for (i = 0; i < 2; i++)
		before[i] = sum_of(s, run, metrics[i], 0);
	CHECK(before[0].n == SECONDS && before[0].sink.count ==
	    SECONDS * EACH);
	/* with the time over at once, a slice is one series; then the end is
	 * noted, and nothing is left */
	while (store_roll_up(s, &tens, 0, &why) == 1)
		slices++;
	CHECK(slices == 6 && step_of(s, run) == 10);
	for (i = 0; i < 2; i++) {
		after = sum_of(s, run, metrics[i], 10);
		CHECK(after.first == -10 && after.n == SECONDS / 10 + 1);
		check_equal(&before[i].sink, &after.sink);
		sink_release(&after.sink);
	}
	CHECK(store_roll_up(s, &minutes, INT64_MAX, &why) == 1);
	CHECK(store_roll_up(s, &minutes, INT64_MAX, &why) == 0);
	CHECK(step_of(s, run) == 60);
	for (i = 0; i < 2; i++) {
		after = sum_of(s, run, metrics[i], 60);
		CHECK(after.first == -60 && after.n == SECONDS / 60 + 1);
		check_equal(&before[i].sink, &after.sink);
		sink_release(&after.sink);
		sink_release(&before[i].sink);
	}
	after = sum_of(s, other, "trend", 0);
	CHECK(after.n == SECONDS && step_of(s, other) == 1);
	sink_release(&after.sink);
	close_and_remove(s);
}

/* The same as in a run that was never rolled up, but for the steps. */
static void
check_same(struct store *s, int64_t run, int64_t other)
{
	static const char *const metrics[] = { "trend", "rate" };
	struct sum a, b;
	int i;

	for (i = 0; i < 2; i++) {
		a = sum_of(s, run, metrics[i], 0);
		b = sum_of(s, other, metrics[i], 0);
		check_equal(&a.sink, &b.sink);
		sink_release(&a.sink);
		sink_release(&b.sink);
	}
}

/* How many points of the trend there are. */
static int64_t
points_of(struct store *s, int64_t run)
{
	struct sum sum = sum_of(s, run, "trend", 0);

	sink_release(&sum.sink);
	return sum.n;
}

/* In a run that goes on. Whoever does that is gone after some slices, and
 * another begins; meanwhile samples come for the seconds that are joined, and
 * for later ones. */
static void
takes_late(void)
{
	struct store *s = open_new();
	int64_t run = make_run(s), other = make_run(s);
	struct store_roll_up r;
	struct why why;
	char key[16];
	int i;

	for (i = 0; i < 40; i++) {
		(void)snprintf(key, sizeof(key), "late %d", i);
		feed(s, run, key, i * 20 - 7, 30);
		feed(s, other, key, i * 20 - 7, 30);
		if (i % 8 == 0)
			r = (struct store_roll_up){ .run = run,
			    .step_s = i < 24 ? 10 : 60, .until = i < 24 ? 120 : 480 };
		CHECK(store_roll_up(s, &r, 0, &why) >= 0);
		check_same(s, run, other);
	}
	r = (struct store_roll_up){ .run = run, .step_s = 60, .until = 480 };
	while (store_roll_up(s, &r, INT64_MAX, &why) > 0)
		;
	check_same(s, run, other);
	/* -60 .. 480, by 60, then each second up to the last of i = 39 */
	CHECK(points_of(s, run) == 9 + (39 * 20 - 7 + 30) - 480);
	feed(s, run, "last", 0, 479);
	feed(s, other, "last", 0, 479);
	check_same(s, run, other);
	CHECK(points_of(s, run) == 9 + (39 * 20 - 7 + 30) - 480);
	CHECK(step_of(s, run) == 60);
	close_and_remove(s);
}

/* The engine, which counts rows of series that are looked up. */
static struct engine counting;
static const struct engine *real;
static int looked_up;

static enum engine_step
count_step(struct engine_stmt *st)
{
	static const char select[] = "SELECT id, type FROM series WHERE run"
	    " = ?1 AND +id";
	enum engine_step step = real->step(st);

	looked_up += step == ENGINE_ROW && strncmp(sqlite3_sql(
	    (sqlite3_stmt *)st), select, sizeof(select) - 1) == 0;
	return step;
}

/* One series in each of many slices, as their time is over at once. Whoever goes
 * on with what another began looks again. */
static void
looks_up_once(void)
{
	enum { SERIES = 1500 };
	static struct store_row rows[SERIES];
	static char names[SERIES][8];
	struct store *s = open_new();
	int64_t run = new_run(s);
	struct store_roll_up first = { .run = run, .step_s = 10, .until = 60 },
	    second = first;
	struct sink sink = { .type = METRIC_COUNTER };
	struct store_batch b = { .owner = ANY, .run = run, .rows = rows,
	    .n = SERIES, .max_series = SERIES, .step_s = 1 };
	struct why why;
	int i, slices = 1;

	sink_add(&sink, 1, 1);
	for (i = 0; i < SERIES; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "c%d", i);
		rows[i] = (struct store_row){ span_of(names[i]),
		    METRIC_COUNTER, SPAN(""), 1, &sink, 0 };
	}
	CHECK(store_batch_add(s, &b, &why) == STORE_DONE);
	real = s->engine;
	counting = *real;
	counting.step = count_step;
	s->engine = &counting;
	for (i = 0; i < 9; i++)
		CHECK(store_roll_up(s, &first, 0, &why) == 1);
	CHECK(looked_up == STORE_ROLL_UP_PAGE);
	looked_up = 0;
	while (store_roll_up(s, &second, 0, &why) == 1)
		slices++;
	/* the end is noted, and nothing is left */
	CHECK(slices == SERIES + 2 && looked_up == SERIES);
	s->engine = real;
	close_and_remove(s);
}

/* What lies far apart, as of a wrong clock, is not walked to hour by hour. */
static void
skips_gaps(void)
{
	struct store *s = open_new();
	int64_t run = new_run(s);
	struct store_roll_up r = { .run = run, .step_s = 60,
	    .until = 2000000040 };
	struct why why;
	int slices = 1;

	feed(s, run, "a", -2000000000, 5);
	feed(s, run, "b", 1999999980, 59);
	while (store_roll_up(s, &r, INT64_MAX, &why) == 1)
		slices++;
	CHECK(slices == 3 && points_of(s, run) == 2);
	close_and_remove(s);
}

static void
spares_others(void)
{
	struct store *s = open_new();
	int64_t run = make_run(s);
	struct store_roll_up none = { .run = run + 9, .step_s = 10,
	    .until = 600 }, ends = { .run = run };
	struct why why;

	CHECK(store_roll_up(s, &none, INT64_MAX, &why) == 0);
	CHECK(store_roll_up(s, &ends, INT64_MAX, &why) == 0);
	CHECK(points_of(s, run) == SECONDS && step_of(s, run) == 1);
	close_and_remove(s);
}

int
main(void)
{
	test("counts, sums, extremes and histograms stay the same", adds_up);
	test("late samples are added to what was, or is being, joined",
	    takes_late);
	test("series are looked up once, however many slices they take",
	    looks_up_once);
	test("gaps between samples cost nothing", skips_gaps);
	test("no other run is touched, nor one without a step",
	    spares_others);
	return tap_end();
}
