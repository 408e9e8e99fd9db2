/* SPDX-License-Identifier: MIT */
/* Whose runs each function of the store shows or changes. */
#include "data/run.h"
#include "k6serve/store/store_batch.h"
#include "k6serve/store/store_instance.h"
#include "k6serve/store/store_load_test.h"
#include "k6serve/store/store_priv.h"
#include "k6serve/store/store_run.h"
#include "k6serve/store_fixture.h"
#include "tap.h"

static int
count_row(void *ctx, const struct store_row *row)
{
	CHECK(row->series > 0);
	++*(int *)ctx;
	return 0;
}

static int
count_step(void *ctx, size_t at, int64_t begin, double sum, uint64_t count)
{
	CHECK(at == 0 && begin == 9 && sum == 5 && count == 1);
	++*(int *)ctx;
	return 0;
}

static int
count_run(void *ctx, const struct store_run *r)
{
	CHECK(r->id > 0);
	++*(int *)ctx;
	return 0;
}

static int
count_slow(void *ctx, const struct store_slow *slow)
{
	CHECK(slow->failed == 0);
	++*(int *)ctx;
	return 0;
}

static int
count_instance(void *ctx, const struct store_instance *i)
{
	CHECK(span_is(i->name, "gen"));
	++*(int *)ctx;
	return 0;
}

/* How many things each function that reads hands out of a run. */
struct sight {
	int found, listed, one, series, wholes, points, points_of, sums, slow,
	    instances, started;
	int64_t overflow;
};

static int64_t
first_series(struct store *s, int64_t run)
{
	static const char select[] = "SELECT id FROM series WHERE run = ?"
	    " AND tagset = 0";
	struct store_stmt p = store_prepare(s, select, NULL);
	int64_t id;

	CHECK(p.sql != NULL);
	store_bind_int(&p, run);
	id = store_one_int(&p, NULL);
	CHECK(id > 0);
	return id;
}

static struct sight
look(struct store *s, const char *owner, int64_t run)
{
	struct store_run_query all = { owner, 0, 9 }, one = { owner, run, 1 };
	struct store_query q = { .owner = owner, .run = run, .metric = "m" };
	struct store_series_query series = { .owner = owner,
	    .series = first_series(s, run), .type = METRIC_TREND };
	struct store_steps_query steps = { .owner = owner, .run = run,
	    .series = &series.series, .n = 1, .step_s = 3 };
	struct store_slow_query slow = { owner, run };
	struct store_instance_query instances = { owner, run };
	struct store_started started = { .run = run };
	struct sight n = { 0 };
	struct why why;

	n.found = store_run_find(s, owner, run, &why) == STORE_DONE;
	CHECK(store_runs(s, &all, count_run, &n.listed, &why) == 0);
	CHECK(store_runs(s, &one, count_run, &n.one, &why) == 0);
	CHECK(store_series(s, &q, count_row, &n.series, &why) == 0);
	CHECK(store_points(s, &q, count_row, &n.points, &why) == 0);
	q.is_whole = true;
	CHECK(store_series(s, &q, count_row, &n.wholes, &why) == 0);
	CHECK(store_points(s, &q, count_row, &n.points, &why) == 0);
	CHECK(store_points_of(s, &series, count_row, &n.points_of, &why) ==
	    0);
	CHECK(store_steps(s, &steps, count_step, &n.sums, &why) == 0);
	CHECK(store_slowest(s, &slow, count_slow, &n.slow, &why) == 0);
	CHECK(store_instances(s, &instances, count_instance, &n.instances,
	    &why) == 0);
	n.started = store_started_get(s, owner, &started, NULL, &why);
	n.overflow = store_overflow(s, owner, run, &why);
	return n;
}

/* A run of ann with one of each thing that can be read. */
static int64_t
run_of_ann(struct store *s)
{
	struct store_run r = { .name = SPAN("n"), .thresholds = SPAN("{}"),
	    .owner = SPAN("ann") };
	struct store_load_test t = { .project = 7, .name = SPAN("a") };
	struct store_slow slow = { .tags = SPAN("{}") };
	struct store_batch b = { .owner = "ann", .slow = &slow, .n_slow = 1 };
	struct store_instance i = { .name = SPAN("gen"),
	    .results = SPAN("{}") };
	struct store_started started = { .hash = "x" };
	struct sink sink = { .type = METRIC_TREND };
	struct store_row rows[2] = {
		{ SPAN("m"), METRIC_TREND, SPAN("{\"a\":\"b\"}"), 10,
		    &sink, 0 },
		{ SPAN("m"), METRIC_TREND, { NULL, 0 }, 10, &sink, 0 },
	};
	struct why why;

	CHECK(store_run_add(s, &r, SPAN(""), &why) == STORE_DONE);
	sink_add(&sink, 5, 10);
	b.run = i.run = started.run = r.id;
	b.rows = rows;
	b.n = 2;	/* no series may be made: it overflows */
	CHECK(store_batch_add(s, &b, &why) == STORE_DONE);
	sink_release(&sink);
	CHECK(store_instance_put(s, "ann", &i, &why) == STORE_DONE);
	CHECK(store_load_test_add(s, "ann", &t, &why) == STORE_DONE);
	started.load_test = t.id;
	CHECK(store_started_put(s, &started, &why) == STORE_DONE);
	return r.id;
}

static void
owners(void)
{
	static const char *const strangers[] = { "ben", "", NULL,
	    "everybody" };
	static const struct sight nothing = { 0 };
	static const struct sight everything = { .found = 1, .listed = 1,
	    .one = 1, .series = 1, .wholes = 1, .points = 2, .points_of = 1,
	    .sums = 1, .slow = 1, .instances = 1, .started = 1,
	    .overflow = 1 };
	struct store *s = open_new();
	struct store_run end = { .id = run_of_ann(s), .results = SPAN("{}"),
	    .run_status = RUN_FINISHED };
	struct store_batch b = { .run = end.id };
	struct store_instance instance = { .run = end.id,
	    .name = SPAN("gen"), .results = SPAN("{}") };
	struct sight seen;
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		seen = look(s, strangers[i], end.id);
		CHECK(memcmp(&seen, &nothing, sizeof(seen)) == 0);
		b.owner = strangers[i];
		CHECK(store_batch_add(s, &b, &why) == STORE_NO_RUN);
		CHECK(store_instance_put(s, strangers[i], &instance, &why) ==
		    STORE_NO_RUN);
		CHECK(store_run_end(s, strangers[i], &end, &why) ==
		    STORE_NO_RUN);
		CHECK(store_run_note(s, strangers[i], end.id, SPAN("x"),
		    &why) == STORE_NO_RUN);
		CHECK(store_run_set_baseline(s, strangers[i], end.id, true,
		    &why) == STORE_NO_RUN);
		CHECK(store_run_remove(s, strangers[i], end.id, &why) ==
		    STORE_NO_RUN);
	}
	seen = look(s, "ann", end.id);
	CHECK(memcmp(&seen, &everything, sizeof(seen)) == 0);
	seen = look(s, store_everybody, end.id);
	CHECK(memcmp(&seen, &everything, sizeof(seen)) == 0);
	CHECK(store_run_remove(s, "ann", end.id, &why) == STORE_DONE);
	close_and_remove(s);
}

int
main(void)
{
	test("another owner's run is not there for any function", owners);
	return tap_end();
}
