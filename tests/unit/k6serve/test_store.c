/* SPDX-License-Identifier: MIT */
/* The store with a real database: it adds up, once, and migrates. */
#include "k6serve/store/store.c"

#include "k6serve/store_runs_fixture.h"
#include "random.h"
#include "tap.h"

static int
see_row(void *ctx, const struct store_row *row)
{
	struct seen *seen = ctx;

	CHECK(hist_count(&row->sink->hist) == row->sink->count);
	seen->n++;
	seen->sum += sink_sum(row->sink);
	return 0;
}

static void
adds_up(void)
{
	struct store *s = open_new();
	int64_t run = new_run(s, SPAN(""));
	struct store_query q = { .owner = ANY, .run = run, .metric = "m",
	    .is_whole = true };
	struct seen points = { 0 }, series = { 0 };
	struct why why;

	CHECK(put(s, run, "", 1, 10) == STORE_DONE);
	CHECK(put(s, run, "", 2, 10) == STORE_DONE);
	CHECK(put(s, run, "", 4, 11) == STORE_DONE);
	CHECK(store_points(s, &q, see_row, &points, &why) == 0);
	CHECK(points.n == 2 && points.sum == 7);
	q.is_whole = false;
	CHECK(store_series(s, &q, see_row, &series, &why) == 0);
	CHECK(series.n == 1 && series.sum == 7);
	close_and_remove(s);
}

static void
once(void)
{
	struct store *s = open_new();
	int64_t run = new_run(s, SPAN("k"));
	struct seen seen = { 0 };

	CHECK(new_run(s, SPAN("k")) == run);
	CHECK(put(s, run, "b", 1, 10) == STORE_DONE);
	CHECK(put(s, run, "b", 1, 10) == STORE_DUPLICATE);
	CHECK(put(s, run, "b", 2, 10) == STORE_CONFLICT);
	CHECK(put(s, run + 1, "b", 1, 10) == STORE_NO_RUN);
	CHECK(walk_runs(s, run, see_run, &seen) == 0);
	CHECK(seen.n == 1 && seen.requests == 1);
	close_and_remove(s);
}

/* Add 1 to metric in each of the tag sets, at that second. */
static void
put_sets(struct store *s, int64_t run, const char *metric,
    const char *const *sets, size_t n, int64_t second)
{
	struct sink one = { .type = METRIC_TREND };
	struct store_row rows[8];
	struct store_batch b = { .run = run, .rows = rows, .n = n,
	    .max_series = 3, .step_s = 1 };
	struct why why;
	size_t i;

	sink_add(&one, 1, second);
	for (i = 0; i < n; i++)
		rows[i] = (struct store_row){ span_of(metric), METRIC_TREND,
		    span_of(sets[i]), second, &one, 0 };
	CHECK(store_batch_add(s, &b, &why) == STORE_DONE);
	sink_release(&one);
}

static int
see_overflow(void *ctx, const struct store_row *row)
{
	return span_is(row->tags, STORE_OVERFLOW) ? see_row(ctx, row) : 0;
}

static void
overflows(void)
{
	static const char *const first[] = { "{\"a\":\"1\"}",
	    "{\"a\":\"2\"}", "" };
	static const char *const second[] = { "{\"a\":\"3\"}",
	    "{\"a\":\"4\"}", "{\"a\":\"5\"}", "{\"a\":\"1\"}", "" };
	struct store *s = open_new();
	int64_t run = new_run(s, SPAN(""));
	struct store_query q = { .owner = ANY, .run = run, .metric = "m" };
	struct seen all = { 0 }, over = { 0 }, points = { 0 };
	struct why why;

	put_sets(s, run, "m", first, 3, 10);
	CHECK(store_overflow(s, ANY, run, &why) == 0);
	put_sets(s, run, "m", second, 5, 10);
	put_sets(s, run, "m", second, 5, 11);
	/* 1, 2 and 3 have their series; 4 and 5 came twice */
	CHECK(store_series(s, &q, see_row, &all, &why) == 0);
	CHECK(all.n == 4 && all.sum == 10);
	CHECK(store_series(s, &q, see_overflow, &over, &why) == 0);
	CHECK(over.n == 1 && over.sum == 4);
	CHECK(store_points(s, &q, see_overflow, &points, &why) == 0);
	CHECK(points.n == 2 && points.sum == 4);
	CHECK(store_overflow(s, ANY, run, &why) == 4);
	/* a known tag set, but a new metric: one series more */
	put_sets(s, run, "other", first, 3, 12);
	CHECK(store_overflow(s, ANY, run, &why) == 6);
	CHECK(store_overflow(s, ANY, run + 1, &why) == 0);
	close_and_remove(s);
}

static void
opens_again(void)
{
	struct store *s = open_new();
	struct seen seen = { 0 };
	struct why why;

	(void)new_run(s, SPAN(""));
	store_close(s);
	s = store_open(path, asset(ASSET_SCHEMA), &why);
	CHECK(s != NULL);
	CHECK(walk_runs(s, 0, see_run, &seen) == 0 && seen.n == 1);
	CHECK(store_run_text(s, "PRAGMA user_version = 1000", &why) == 0);
	store_close(s);
	CHECK(store_open(path, asset(ASSET_SCHEMA), &why) == NULL);
	(void)unlink(path);
}

static void
migrates(void)
{
	struct store *s = open_new();
	struct seen seen = { 0 };
	struct why why;

	close_and_remove(s);
	make_version("\n-- version 2", "INSERT INTO run VALUES(7, NULL, 'old',"
	    " 0, 0, 0, '{}', '{}', 3, 0, 0, 5, 5, 5, 5, 5, 1, 0, 0, 1);"
	    "PRAGMA user_version = 1");
	s = store_open(path, asset(ASSET_SCHEMA), &why);
	CHECK(s != NULL);
	CHECK(store_check_ready(s, &why) == 0);
	CHECK(walk_runs(s, 7, see_run, &seen) == 0 && seen.n == 1);
	CHECK(store_run_note(s, ANY, 7, SPAN("x"), &why) == STORE_DONE);
	close_and_remove(s);
}

static int64_t
requests_of(struct store *s, int64_t run)
{
	struct seen seen = { 0 };

	CHECK(walk_runs(s, run, see_run, &seen) == 0);
	return seen.requests;
}

static void
groups(void)
{
	struct store *s = open_new();
	int64_t run = new_run(s, SPAN(""));
	struct why why;
	struct store *other = store_open_again(s, &why);

	CHECK(other != NULL);
	CHECK(store_group_begin(s, &why) == 0);
	CHECK(put(s, run, "k1", 1, 10) == STORE_DONE);
	/* neither a duplicate nor a conflict breaks it */
	CHECK(put(s, run, "k1", 1, 10) == STORE_DUPLICATE);
	CHECK(put(s, run, "k1", 2, 10) == STORE_CONFLICT);
	CHECK(put(s, run + 9, "k2", 2, 10) == STORE_NO_RUN);
	CHECK(put(s, run, "k2", 2, 10) == STORE_DONE);
	CHECK(requests_of(s, run) == 2 && requests_of(other, run) == 0);
	CHECK(store_group_end(s, &why) == 0);
	CHECK(requests_of(other, run) == 2);
	store_close(other);
	close_and_remove(s);
}

static void
reads_one_moment(void)
{
	struct store *s = open_new();
	int64_t run = new_run(s, SPAN(""));
	struct why why;
	struct store *other = store_open_again(s, &why);

	CHECK(put(s, run, "k1", 1, 10) == STORE_DONE);
	CHECK(store_read_begin(other, &why) == 0);
	CHECK(requests_of(other, run) == 1);
	CHECK(put(s, run, "k2", 2, 10) == STORE_DONE);
	CHECK(requests_of(s, run) == 2 && requests_of(other, run) == 1);
	store_read_end(other);
	CHECK(requests_of(other, run) == 2);
	store_close(other);
	close_and_remove(s);
}

/* A series whose histogram nobody can read makes its batches fail. */
static void
group_breaks(void)
{
	struct store *s = open_new();
	int64_t run = new_run(s, SPAN(""));
	struct why why;

	CHECK(put(s, run, "k1", 1, 10) == STORE_DONE);
	CHECK(store_run_text(s, "UPDATE series SET hist = x'ff'"
	    " WHERE tagset != 0", &why) == 0);
	CHECK(store_group_begin(s, &why) == 0);
	CHECK(new_run(s, SPAN("")) > run);
	CHECK(put(s, run, "k2", 1, 10) == STORE_FAILED);
	CHECK(store_group_end(s, &why) == -1);
	CHECK(requests_of(s, run) == 1 && requests_of(s, run + 1) == 0);
	CHECK(put(s, run, "k1", 1, 10) == STORE_DUPLICATE);
	close_and_remove(s);
}

static int
see_exact(void *ctx, const struct store_row *row)
{
	*(struct total *)ctx = row->sink->sum;
	return 0;
}

/* Sums of nanoseconds, below and past what a double tells. */
static void
exact_sums(void)
{
	enum { N = 12, SHUFFLES = 100 };
	static const double top_ms[] = { 0, 2e12 };
	double ms[N];
	struct store *s = open_new();
	struct store_query q = { .owner = ANY, .metric = "m",
	    .is_whole = true };
	struct total series, points, want;
	struct why why;
	size_t top;
	int i, round;

	for (top = 0; top < 2; top++) {
		want = (struct total){ 0 };
		for (i = 0; i < N; i++) {
			ms[i] = i < 4 ? top_ms[top] : (double)(i *
			    INT64_C(123456789)) / 1e6;
			total_add(&want, ms[i]);
		}
		CHECK(want.rest == 0);
		for (round = 0; round < SHUFFLES / 2; round++) {
			q.run = new_run(s, SPAN(""));
			random_shuffle(ms, N);
			for (i = 0; i < N; i++)
				CHECK(put(s, q.run, "", ms[i], 10) ==
				    STORE_DONE);
			CHECK(store_points(s, &q, see_exact, &points, &why) ==
			    0);
			CHECK(store_series(s, &q, see_exact, &series, &why) ==
			    0);
			CHECK(points.millionths == want.millionths &&
			    series.millionths == want.millionths);
		}
	}
	close_and_remove(s);
}

int
main(void)
{
	test("rows add up by second and over the run", adds_up);
	test("sums of times are exact, whatever the order", exact_sums);
	test("a key counts once", once);
	test("past the most series all goes to one tag set", overflows);
	test("a file opens again, a newer one does not", opens_again);
	test("a file of an older version is brought up", migrates);
	test("a group is there at its end, all of it", groups);
	test("what is read within a transaction is of one moment",
	    reads_one_moment);
	test("a group with a failure is undone", group_breaks);
	return tap_end();
}
