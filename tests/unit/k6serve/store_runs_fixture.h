/* SPDX-License-Identifier: MIT */
/* store_runs_fixture: runs of a test, rows put into them, and what is seen. */
#ifndef K6PIPE_TESTS_STORE_RUNS_FIXTURE_H
#define K6PIPE_TESTS_STORE_RUNS_FIXTURE_H

#include "data/run.h"
#include "k6serve/store/store_batch.h"
#include "k6serve/store/store_run.h"
#include "k6serve/store_fixture.h"
#include "tap.h"

#define ANY store_everybody

static inline int64_t
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
static inline enum store_result
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

static inline int
see_run(void *ctx, const struct store_run *r)
{
	struct seen *seen = ctx;

	seen->n++;
	seen->requests = r->requests;
	seen->run_status = r->run_status;
	return 0;
}

/* All runs, or one. */
static inline int
walk_runs(struct store *s, int64_t id, store_run_each *each, void *ctx)
{
	struct store_run_query q = { .owner = ANY, .id = id, .limit = 9 };
	struct why why;

	return store_runs(s, &q, each, ctx, &why);
}

#endif
