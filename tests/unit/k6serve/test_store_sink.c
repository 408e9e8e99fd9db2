/* SPDX-License-Identifier: MIT */
/* Points are short in the database, and what is read is what was written. */
#include "k6serve/store/store_sink.c"

#include "base/units.h"
#include "data/run.h"
#include "k6serve/store/store_batch.h"
#include "k6serve/store/store_run.h"
#include "k6serve/store_fixture.h"

#define ANY store_everybody

/* The sinks of a point at a time, with values of 1 and less. */
static enum store_result
put_at(struct store *s, int64_t run, double value, int64_t second,
    int64_t time_ns)
{
	unsigned char digest[STORE_DIGEST] = { 0 };
	struct sink sink = { .type = METRIC_TREND };
	struct store_row row = { SPAN("m"), METRIC_TREND, { NULL, 0 }, second,
	    &sink, 0 };
	struct store_batch b = { .run = run, .key = SPAN(""),
	    .digest = digest, .rows = &row, .n = 1, .max_series = 9,
	    .points = 2, .data = { time_ns, time_ns, time_ns, time_ns },
	    .step_s = 1 };
	enum store_result result;
	struct why why;

	sink_add(&sink, value, time_ns);
	sink_add(&sink, 1, time_ns - 1);
	result = store_batch_add(s, &b, &why);
	sink_release(&sink);
	return result;
}

/* What the test put there, each second once. */
static int
see_sink(void *ctx, const struct store_row *row)
{
	const struct sink *s = row->sink;
	int *n = ctx;

	CHECK(hist_count(&s->hist) == s->count && s->count == 2);
	CHECK(s->last_ns / 1000 == row->second * 1000000 + 999999);
	CHECK(s->last == (*n == 1 ? 0.5 : 1));
	CHECK(sink_quantile(s, 0.25) >= (*n == 1 ? 0.5 : 1));
	++*n;
	return 0;
}

/* Only of times after 02:00 of 1970 it is known that they are short. */
static void
short_forms(void)
{
	static const int64_t seconds[] = { 1, 7199, 7200, 1700000000 };
	struct store_run r = { .name = SPAN("n"), .thresholds = SPAN("{}"),
	    .created_ns = 5 };
	struct store *s = open_new();
	struct store_query q = { .owner = ANY, .metric = "m",
	    .is_whole = true };
	struct why why;
	int n = 0, i;

	CHECK(store_run_add(s, &r, SPAN(""), &why) == STORE_DONE);
	q.run = r.id;
	for (i = 0; i < 4; i++)
		CHECK(put_at(s, q.run, i == 1 ? 0.5 : 1, seconds[i],
		    seconds[i] * NS_PER_S + 999999999) == STORE_DONE);
	CHECK(store_points(s, &q, see_sink, &n, &why) == 0 && n == 4);
	CHECK(run_script("CREATE TEMP TABLE zero(n CHECK (n = 0));"
	    "INSERT INTO zero SELECT last_ns - 999999999 -"
	    " (CASE WHEN second < 7200 THEN second ELSE 0 END) * 1000000000"
	    " FROM point;"
	    "INSERT INTO zero SELECT length(hist) FROM point"
	    " WHERE second != 7199;"
	    "INSERT INTO zero SELECT count(*) - 1 FROM point"
	    " WHERE length(hist) > 0") == 0);
	close_and_remove(s);
}

static void
long_forms(void)
{
	struct store *s = open_new();
	struct store_query q = { .owner = ANY, .run = 7, .metric = "m",
	    .is_whole = true };
	struct why why;
	int n = 0;

	close_and_remove(s);
	make_version("\n-- version 13", "INSERT INTO run(id, name, project,"
	    " vus, planned_s, thresholds, results, run_status, result_status,"
	    " is_late, created_ns, seen_ns, ended_ns, first_ns, last_ns,"
	    " step_s, requests, points, version) VALUES(7, 'old', 0, 0, 0,"
	    " '{}', '{}', 2, 0, 0, 5, 5, 0, 5, 5, 1, 0, 0, 1);"
	    "INSERT INTO series VALUES(3, 7, 'm', 2, 0, 4, 4, 3.5, 0.5, 1, 1,"
	    " 1700000001999999999, x'000002fa0201800103', NULL);"
	    "INSERT INTO point VALUES(3, 1700000000, 2, 2, 2, 1, 1, 1,"
	    " 1700000000999999999, x'000001fa0302', NULL),"
	    " (3, 1700000001, 2, 2, 1.5, 0.5, 1, 0.5,"
	    " 1700000001999999999, x'000002fa0201800101', NULL);"
	    "PRAGMA user_version = 12");
	s = store_open(path, asset(ASSET_SCHEMA), &why);
	CHECK(s != NULL);
	CHECK(put_at(s, 7, 1, 1700000002, 1700000002 * NS_PER_S + 999999999) ==
	    STORE_DONE);
	CHECK(store_points(s, &q, see_sink, &n, &why) == 0 && n == 3);
	close_and_remove(s);
}

int
main(void)
{
	test("points are kept in short forms, and read as they were",
	    short_forms);
	test("long forms of earlier versions are read, too", long_forms);
	return tap_end();
}
