/* SPDX-License-Identifier: MIT */
/* Samples become rows. */
#include "k6serve/ingest/batch.c"

#include "tap.h"

static const struct tagset *
tags_of(struct batch *b, const char *json)
{
	struct jsn j = jsn_of(span_of(json));

	return tags_read(&b->tags, &j);
}

static void
add(struct batch *b, const char *metric, const char *tags, int64_t second,
    double value)
{
	struct sample s = { .kind = SAMPLE_POINT, .metric = span_of(metric),
	    .type = METRIC_COUNTER, .tags = tags_of(b, tags),
	    .time_ns = second * NS_PER_S, .value = value };

	CHECK(batch_add(b, &s) == 0);
}

/* "metric tags second sum count", a line for each row. */
static void
print_rows(const struct store_batch *b, struct buf *out)
{
	const struct store_row *r;
	size_t i;

	for (i = 0; i < b->n; i++) {
		r = &b->rows[i];
		buf_printf(out, "%.*s %.*s %lld %g %d\n", (int)r->metric.n,
		    r->metric.p, (int)r->tags.n, r->tags.n != 0 ? r->tags.p :
		    "", (long long)r->second, sink_sum(r->sink),
		    (int)r->sink->count);
	}
}

static void
adds_up(void)
{
	struct batch b = { .most_tags = 9 };
	struct store_batch out = { .run = 3 };
	struct buf text = { 0 };

	add(&b, "m", "{\"a\":\"1\"}", 10, 1);
	add(&b, "m", "{\"a\":\"2\"}", 10, 2);
	add(&b, "http_reqs", "{\"a\":\"1\"}", 12, 1);
	add(&b, "m", "{\"a\":\"1\"}", 10, 4);
	add(&b, "m", "{\"a\":\"1\"}", 9, 8);
	add(&b, "m", "{\"a\":\"1\"}", -1, 16);
	batch_rows(&b, &out);
	print_rows(&out, &text);
	CHECK_BUF(text, "m {\"a\":\"1\"} -1 16 1\n"
	    "m {\"a\":\"1\"} 9 8 1\n" "m {\"a\":\"1\"} 10 5 2\n"
	    "http_reqs {\"a\":\"1\"} 12 1 1\n"
	    "m {\"a\":\"2\"} 10 2 1\n"
	    "m  -1 16 1\n" "m  9 8 1\n" "m  10 7 3\n" "http_reqs  12 1 1\n");
	CHECK(out.run == 3 && out.points == 6 && out.step_s == 1);
	CHECK(out.requests == 1 && out.n_slow == 0);
	CHECK(out.data.first_ns == -NS_PER_S &&
	    out.data.last_ns == 12 * NS_PER_S);
	buf_release(&text);
	batch_release(&b);
	CHECK(b.n == 0 && b.rows == NULL);
}

static void
bounds_tags(void)
{
	struct batch b = { .most_tags = 2 };
	struct store_batch out = { 0 };
	struct buf text = { 0 };
	char tags[32];
	int i;

	for (i = 0; i < 5; i++) {
		(void)snprintf(tags, sizeof(tags), "{\"a\":\"%d\"}", i);
		add(&b, "m", tags, 10, 1);
	}
	batch_rows(&b, &out);
	print_rows(&out, &text);
	CHECK(strstr(text.p, "m " STORE_OVERFLOW " 10 3 3\n") != NULL);
	CHECK(strstr(text.p, "m  10 5 5\n") != NULL && out.n == 4);
	CHECK(batch_most_tags(100) == 25000);
	CHECK(batch_most_tags(400000) == 100000);
	CHECK(batch_most_tags(INT64_MAX) == UINT32_MAX);
	buf_release(&text);
	batch_release(&b);
}

/* Aggregates that do not say their period, at these seconds. */
static int64_t
step_of_times(const int64_t *seconds, size_t n, int64_t period_ns)
{
	struct batch b = { .most_tags = 9 };
	struct aggregate a = { .period_ns = period_ns, .count = 1 };
	struct sample s = { .kind = SAMPLE_AGGREGATE, .aggregate = &a };
	struct store_batch out = { 0 };
	size_t i;

	s.tags = a.tags = tags_of(&b, "{}");
	for (i = 0; i < n; i++) {
		s.time_ns = a.time_ns = seconds[i] * NS_PER_S;
		(void)batch_add(&b, &s);
	}
	batch_rows(&b, &out);
	batch_release(&b);
	return out.step_s;
}

static void
finds_step(void)
{
	static const int64_t times[] = { 20, 10, 40, 35 };
	static const int64_t day[] = { 0, 86400 };

	CHECK(step_of_times(times, 1, 0) == USUAL_PERIOD_S);
	CHECK(step_of_times(times, 4, 0) == 5);
	CHECK(step_of_times(times, 1, 1500 * NS_PER_MS) == 2);
	CHECK(step_of_times(day + 1, 1, 7200 * NS_PER_S) == 3600);
}

static void
keeps_slowest(void)
{
	struct batch b = { .most_tags = 9 };
	struct trail t = { .failed = -1 };
	struct sample s = { .kind = SAMPLE_TRAIL, .trail = &t };
	struct store_batch out = { 0 };
	int64_t i;

	s.tags = t.tags = tags_of(&b, "{}");
	for (i = 0; i < 50 * STORE_SLOW; i++) {
		t.ns[TIMING_DURATION] = i * 7919 % (50 * STORE_SLOW);
		(void)batch_add(&b, &s);
	}
	batch_rows(&b, &out);
	CHECK(out.n_slow == STORE_SLOW && out.requests == 50 * STORE_SLOW);
	for (i = 0; i < STORE_SLOW; i++)
		CHECK(out.slow[i].ns[TIMING_DURATION] ==
		    50 * STORE_SLOW - 1 - i);
	batch_release(&b);
}

int
main(void)
{
	test("samples add up by series and second, and all tags together",
	    adds_up);
	test("past the most tag sets all goes to one", bounds_tags);
	test("the step is the longest period, or told by the times",
	    finds_step);
	test("of many requests the slowest stay", keeps_slowest);
	return tap_end();
}
