/* SPDX-License-Identifier: MIT */
/* The store with a real database: it adds up, once, and migrates. */
#include "k6serve/store/store.c"

#include "data/run.h"
#include "k6serve/store/store_batch.h"
#include "k6serve/store/store_instance.h"
#include "k6serve/store/store_load_test.h"
#include "k6serve/store/store_run.h"
#include "k6serve/store/store_sweep.h"
#include "k6serve/store_fixture.h"
#include "random.h"
#include "tap.h"

#define ANY store_everybody

static int64_t
new_run(struct store *s, struct span key)
{
	struct store_run r = { .name = SPAN("n"), .thresholds = SPAN("{}"),
	    .created_ns = 5 };
	struct why why;
	enum store_result result = store_run_add(s, &r, key, &why);

	CHECK(result == STORE_DONE || result == STORE_DUPLICATE);
	return r.id;
}

/* Put value into a series of each kind at that second. */
static enum store_result
put(struct store *s, int64_t run, const char *key, double value,
    int64_t second)
{
	unsigned char digest[STORE_DIGEST] = { (unsigned char)value };
	struct sink sink = { .type = METRIC_TREND };
	struct store_row rows[2] = {
		{ SPAN("m"), METRIC_TREND, { NULL, 0 }, second, &sink,
		    0 },
		{ SPAN("m"), METRIC_TREND, SPAN("{\"a\":\"b\"}"), second,
		    &sink, 0 },
	};
	struct store_batch b = { .run = run, .key = span_of(key),
	    .digest = digest, .rows = rows, .n = 2, .max_series = 9,
	    .requests = 1, .points = 2,
	    .data = { second, second, second, second }, .step_s = 1 };
	struct why why;
	enum store_result result;

	sink_add(&sink, value, second);
	result = store_batch_add(s, &b, &why);
	sink_release(&sink);
	return result;
}

struct seen {
	int n;
	double sum;
	int64_t requests;
	int run_status;
};

static int
see_row(void *ctx, const struct store_row *row)
{
	struct seen *seen = ctx;

	CHECK(hist_count(&row->sink->hist) == row->sink->count);
	seen->n++;
	seen->sum += sink_sum(row->sink);
	return 0;
}

static int
see_run(void *ctx, const struct store_run *r)
{
	struct seen *seen = ctx;

	seen->n++;
	seen->requests = r->requests;
	seen->run_status = r->run_status;
	return 0;
}

/* All runs, or one. */
static int
walk_runs(struct store *s, int64_t id, store_run_each *each, void *ctx)
{
	struct store_run_query q = { .owner = ANY, .id = id, .limit = 9 };
	struct why why;

	return store_runs(s, &q, each, ctx, &why);
}

static void
adds_up(void)
{
	struct store *s = open_new();
	int64_t run = new_run(s, SPAN(""));
	struct store_query q = { ANY, run, "m", true, false };
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

static void
ends(void)
{
	struct store *s = open_new();
	struct store_run end = { .results = SPAN("{}"),
	    .run_status = RUN_FINISHED };
	struct seen seen = { 0 };
	struct why why;

	end.id = new_run(s, SPAN(""));
	CHECK(put(s, end.id, "b", 1, 10) == STORE_DONE);
	CHECK(store_run_end(s, ANY, &end, &why) == STORE_DONE);
	end.run_status = RUN_ABORTED_BY_USER;
	CHECK(store_run_end(s, ANY, &end, &why) == STORE_ENDED);
	CHECK(put(s, end.id, "b", 1, 10) == STORE_DUPLICATE);
	CHECK(put(s, end.id, "c", 1, 10) == STORE_ENDED);
	CHECK(put(s, end.id, "", 1, 10) == STORE_ENDED);
	CHECK(walk_runs(s, 0, see_run, &seen) == 0);
	CHECK(seen.run_status == RUN_FINISHED && seen.requests == 1);
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
	struct store_query q = { ANY, run, "m", false, false };
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
	CHECK(execute(s, "PRAGMA user_version = 1000", &why) == 0);
	store_close(s);
	CHECK(store_open(path, asset(ASSET_SCHEMA), &why) == NULL);
	(void)unlink(path);
}

/* The tables as version 1 made them. */
static void
make_version_1(struct why *why)
{
	const char *end = strstr(asset(ASSET_SCHEMA).p, "\n-- version 2");
	struct span first = { asset(ASSET_SCHEMA).p,
	    (size_t)(end - asset(ASSET_SCHEMA).p) };
	struct store *s = xcalloc(1, sizeof(*s));

	CHECK(sqlite3_open(path, &s->db) == SQLITE_OK);
	CHECK(execute_from(s, 0, first, why) == 0);
	CHECK(execute(s, "INSERT INTO run VALUES(7, NULL, 'old', 0, 0, 0,"
	    " '{}', '{}', 3, 0, 0, 5, 5, 5, 5, 5, 1, 0, 0, 1);"
	    "PRAGMA application_id = 1798730610;"
	    "PRAGMA user_version = 1", why) == 0);
	store_close(s);
}

static void
migrates(void)
{
	struct store *s = open_new();
	struct seen seen = { 0 };
	struct why why;

	close_and_remove(s);
	make_version_1(&why);
	s = store_open(path, asset(ASSET_SCHEMA), &why);
	CHECK(s != NULL);
	CHECK(version_of(s, &why) == SCHEMA_VERSION);
	CHECK(walk_runs(s, 7, see_run, &seen) == 0 && seen.n == 1);
	CHECK(store_run_note(s, ANY, 7, SPAN("x"), &why) == STORE_DONE);
	close_and_remove(s);
}

static int
see_note(void *ctx, const struct store_run *r)
{
	*(bool *)ctx = span_is(r->note, "why \"x\"") &&
	    span_is(r->agent, "k6cloud/0.48.0");
	return 0;
}

static void
edits(void)
{
	struct store_run r = { .name = SPAN("n"), .thresholds = SPAN("{}"),
	    .agent = SPAN("k6cloud/0.48.0"), .created_ns = 5 };
	struct store *s = open_new();
	struct seen seen = { 0 };
	struct why why;
	bool is_noted = false;

	CHECK(store_run_add(s, &r, SPAN(""), &why) == STORE_DONE);
	CHECK(put(s, r.id, "a", 3, 1) == STORE_DONE);
	CHECK(store_run_note(s, ANY, r.id, SPAN("why \"x\""), &why) ==
	    STORE_DONE);
	CHECK(walk_runs(s, r.id, see_note, &is_noted) == 0);
	CHECK(is_noted);
	CHECK(store_run_note(s, ANY, r.id + 1, SPAN(""), &why) == STORE_NO_RUN);
	CHECK(store_run_remove(s, ANY, r.id, &why) == STORE_DONE);
	CHECK(store_run_remove(s, ANY, r.id, &why) == STORE_NO_RUN);
	CHECK(walk_runs(s, 0, see_run, &seen) == 0 && seen.n == 0);
	CHECK(store_sweep(s, INT64_MAX, &why) == 0);
	CHECK(execute(s, "CREATE TEMP TABLE zero(n CHECK (n = 0));"
	    "INSERT INTO zero SELECT count(*) FROM point;"
	    "INSERT INTO zero SELECT count(*) FROM series;"
	    "INSERT INTO zero SELECT count(*) FROM tagset;"
	    "INSERT INTO zero SELECT count(*) FROM batch;"
	    "INSERT INTO zero SELECT count(*) FROM slow", &why) == 0);
	close_and_remove(s);
}

struct slowest {
	int n;
	int64_t first, last;
};

static int
see_slow(void *ctx, const struct store_slow *slow)
{
	struct slowest *all = ctx;

	if (all->n++ == 0)
		all->first = slow->ns[TIMING_DURATION];
	all->last = slow->ns[TIMING_DURATION];
	CHECK(span_is(slow->tags, "{}") && slow->failed == -1);
	return 0;
}

static void
keeps_the_slowest(void)
{
	struct store *s = open_new();
	int64_t run = new_run(s, SPAN("")), i;
	struct store_slow slow = { .failed = -1, .tags = SPAN("{}") };
	struct store_batch b = { .run = run, .slow = &slow, .n_slow = 1 };
	struct store_slow_query q = { ANY, run };
	struct slowest seen = { 0 };
	struct why why;

	for (i = 0; i < 3 * STORE_SLOW; i++) {
		slow.ns[TIMING_DURATION] = i * 7919 % (3 * STORE_SLOW);
		CHECK(store_batch_add(s, &b, &why) == STORE_DONE);
	}
	CHECK(store_slowest(s, &q, see_slow, &seen, &why) == 0);
	CHECK(seen.n == STORE_SLOW && seen.first == 3 * STORE_SLOW - 1);
	CHECK(seen.last == 2 * STORE_SLOW);
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

/* A series whose histogram nobody can read makes its batches fail. */
static void
group_breaks(void)
{
	struct store *s = open_new();
	int64_t run = new_run(s, SPAN(""));
	struct why why;

	CHECK(put(s, run, "k1", 1, 10) == STORE_DONE);
	CHECK(execute(s, "UPDATE series SET hist = x'ff'"
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
see_instance(void *ctx, const struct store_instance *i)
{
	char *seen = ctx;
	size_t n = strlen(seen);

	(void)snprintf(seen + n, 80 - n, "%.*s %d %d %.*s;", (int)i->name.n,
	    i->name.p, i->run_status, i->result_status, (int)i->results.n,
	    i->results.p);
	return 0;
}

static void
instances(void)
{
	struct store *s = open_new();
	int64_t run = new_run(s, SPAN("k"));
	struct store_instance i = { .run = run, .name = SPAN("b"),
	    .run_status = RUN_RUNNING, .results = SPAN("{}") };
	struct store_instance_query q = { ANY, run };
	char seen[80] = "";
	struct why why;

	CHECK(store_instance_put(s, ANY, &i, &why) == STORE_DONE);
	i.name = SPAN("a");
	CHECK(store_instance_put(s, ANY, &i, &why) == STORE_DONE);
	i.run_status = RUN_FINISHED;
	i.result_status = 1;
	i.results = SPAN("{1}");
	CHECK(store_instance_put(s, ANY, &i, &why) == STORE_DONE);
	CHECK(store_instances(s, &q, see_instance, seen, &why) == 0);
	CHECK_TEXT(seen, "a 3 1 {1};b 2 0 {};");
	CHECK(store_run_remove(s, ANY, run, &why) == STORE_DONE);
	seen[0] = '\0';
	CHECK(store_instances(s, &q, see_instance, seen, &why) == 0);
	CHECK_TEXT(seen, "");
	close_and_remove(s);
}

static int
count_test(void *ctx, const struct store_load_test *t)
{
	int *n = ctx;

	CHECK(t->id > 0 && t->project == 7);
	(*n)++;
	return 0;
}

static int
tests_of(struct store *s, const char *owner, int64_t project,
    struct span name)
{
	struct store_load_test_query q = { owner, project, name };
	struct why why;
	int n = 0;

	CHECK(store_load_tests(s, &q, count_test, &n, &why) == 0);
	return n;
}

static void
load_tests(void)
{
	struct store *s = open_new();
	struct store_load_test t = { .project = 7, .name = SPAN("a"),
	    .owner = SPAN("ann") };
	struct store_load_test found = { .project = 0 };
	struct buf name = { 0 };
	struct why why;

	CHECK(store_load_test_add(s, "ann", &t, &why) == STORE_DONE);
	found.id = t.id;
	CHECK(store_load_test_add(s, "ann", &t, &why) == STORE_CONFLICT);
	/* ben may have that name too */
	CHECK(tests_of(s, "ben", 7, SPAN("a")) == 0);
	CHECK(store_load_test_get(s, "ben", &found, &name, &why) ==
	    STORE_NO_RUN);
	t.owner = SPAN("ben");
	CHECK(store_load_test_add(s, "ben", &t, &why) == STORE_DONE);
	CHECK(tests_of(s, "ben", 7, SPAN("a")) == 1);
	CHECK(tests_of(s, ANY, 7, SPAN("")) == 2);
	CHECK(tests_of(s, ANY, 8, SPAN("")) == 0);
	CHECK(store_load_test_get(s, ANY, &found, &name, &why) ==
	    STORE_DONE);
	CHECK(span_is(found.name, "a") && found.project == 7);
	buf_release(&name);
	close_and_remove(s);
}

static void
started(void)
{
	struct store *s = open_new();
	struct store_load_test t = { .project = 7, .name = SPAN("a") };
	struct store_started r = { .run = new_run(s, SPAN("k")) }, other = r;
	struct buf owner = { 0 };
	struct why why;

	CHECK(store_load_test_add(s, ANY, &t, &why) == STORE_DONE);
	CHECK(store_started_get(s, ANY, &other, &owner, &why) == 0);
	r.load_test = t.id;
	memset(r.hash, 'x', sizeof(r.hash));
	CHECK(store_started_put(s, &r, &why) == STORE_DONE);
	r.hash[0] = 'y';
	CHECK(store_started_put(s, &r, &why) == STORE_DONE);
	CHECK(store_started_get(s, ANY, &other, &owner, &why) == 1);
	CHECK(other.load_test == t.id && memcmp(other.hash, r.hash,
	    STORE_DIGEST) == 0);
	CHECK(store_run_remove(s, ANY, r.run, &why) == STORE_DONE);
	CHECK(store_started_get(s, ANY, &other, &owner, &why) == 0);
	buf_release(&owner);
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
	test("a run that ended stays as it is", ends);
	test("past the most series all goes to one tag set", overflows);
	test("a file opens again, a newer one does not", opens_again);
	test("a file of an older version is brought up", migrates);
	test("a run is noted and removed", edits);
	test("the slowest requests stay", keeps_the_slowest);
	test("instances of a run keep their last state", instances);
	test("a load test is its owner's, once by its name", load_tests);
	test("a started run has one token, which goes with it", started);
	test("a group is there at its end, all of it", groups);
	test("a group with a failure is undone", group_breaks);
	return tap_end();
}
