/* SPDX-License-Identifier: MIT */
/* What removed runs leave is deleted in slices. */
#include "k6serve/store/store_sweep.c"

#include <sqlite3.h>
#include <stdio.h>

#include "k6serve/store/store_batch.h"
#include "k6serve/store/store_run.h"
#include "k6serve/store_fixture.h"
#include "tap.h"

#define ANY store_everybody

enum { SECONDS = 2000 };

/* How many rows the tables have that are about runs. */
static int
rows(void)
{
	static const char *const tables[] = { "point", "series", "tagset",
	    "batch" };
	sqlite3_stmt *sql;
	sqlite3 *db;
	char text[64];
	size_t i;
	int n = 0;

	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		(void)snprintf(text, sizeof(text), "SELECT count(*) FROM %s",
		    tables[i]);
		CHECK(sqlite3_prepare_v2(db, text, -1, &sql, NULL) ==
		    SQLITE_OK && sqlite3_step(sql) == SQLITE_ROW);
		n += sqlite3_column_int(sql, 0);
		(void)sqlite3_finalize(sql);
	}
	(void)sqlite3_close(db);
	return n;
}

/* A run with a point in each of many seconds. */
static int64_t
make_run(struct store *s)
{
	static const unsigned char digest[STORE_DIGEST];
	static struct store_row points[SECONDS];
	struct store_run r = { .name = SPAN("n"), .thresholds = SPAN("{}") };
	struct store_batch b = { .owner = ANY, .key = SPAN("k"),
	    .digest = digest, .rows = points, .n = SECONDS, .max_series = 9,
	    .step_s = 1 };
	struct sink sink = { .type = METRIC_COUNTER };
	struct why why;
	int i;

	CHECK(store_run_add(s, &r, SPAN(""), &why) == STORE_DONE);
	sink_add(&sink, 1, 1);
	for (i = 0; i < SECONDS; i++)
		points[i] = (struct store_row){ SPAN("m"), METRIC_COUNTER,
		    SPAN("{\"a\":\"b\"}"), i, &sink, 0 };
	b.run = r.id;
	CHECK(store_batch_add(s, &b, &why) == STORE_DONE);
	sink_release(&sink);
	return r.id;
}

static void
goes_in_slices(void)
{
	struct store *s = open_new();
	int64_t first = make_run(s), second = make_run(s);
	int n = rows(), before = n, slices = 0, status;
	struct why why;

	CHECK(store_sweep(s, INT64_MAX, &why) == 0 && rows() == n);
	CHECK(store_run_remove(s, ANY, first, &why) == STORE_DONE);
	CHECK(store_has_rest(s) && rows() == n);
	/* with the time over at once, a slice is one step */
	while ((status = store_sweep(s, 0, &why)) == 1) {
		n = rows();
		CHECK(n < before && before - n <= 256);
		before = n;
		slices++;
	}
	CHECK(status == 0 && !store_has_rest(s));
	CHECK(slices >= SECONDS / 256);
	CHECK(rows() == SECONDS + 3);
	CHECK(store_run_find(s, ANY, second, &why) == STORE_DONE);
	close_and_remove(s);
}

static void
next_process_goes_on(void)
{
	struct store *s = open_new();
	int64_t run = make_run(s);
	struct why why;

	CHECK(store_run_remove(s, ANY, run, &why) == STORE_DONE);
	CHECK(store_sweep(s, 0, &why) == 1);
	store_close(s);
	s = store_open(path, asset(ASSET_SCHEMA), &why);
	CHECK(s != NULL && store_has_rest(s));
	CHECK(store_sweep(s, INT64_MAX, &why) == 0 && rows() == 0);
	close_and_remove(s);
}

static void
undone_removal(void)
{
	struct store *s = open_new();
	int64_t run = make_run(s);
	struct why why;
	int n = rows();

	CHECK(store_group_begin(s, &why) == 0);
	CHECK(store_run_remove(s, ANY, run, &why) == STORE_DONE);
	store_rollback(s);
	CHECK(store_group_end(s, &why) < 0);
	CHECK(store_sweep(s, INT64_MAX, &why) == 0 && rows() == n);
	close_and_remove(s);
}

int
main(void)
{
	test("a removed run's data goes in slices", goes_in_slices);
	test("what one process leaves the next one deletes",
	    next_process_goes_on);
	test("a removal that was undone deletes nothing", undone_removal);
	return tap_end();
}
