/* SPDX-License-Identifier: MIT */
#include "k6push/read/timeseries.c"

#include "random.h"
#include "tap.h"

#define S NS_PER_S

static struct tags tags;
static struct metrics metrics;

static const struct tagset *
tagset(const char *json)
{
	struct jsn j = jsn_of(span_of(json));

	return tags_read(&tags, &j);
}

static const struct metric *
metric(const char *name)
{
	return metrics_get(&metrics, span_of(name));
}

static void
add(struct timeseries *t, const char *name, const char *tags_json,
    int64_t time_ns, double value)
{
	sink_add(timeseries_sink(t, metric(name), tagset(tags_json), time_ns),
	    value, time_ns);
}

/* Take what is due and say it as text. */
static struct buf
taken(struct timeseries *t, int64_t now_ns, int64_t wait_ns)
{
	struct timeseries_taken out;
	struct buf text = { 0 };
	size_t i, k;

	buf_text(&text, "");
	timeseries_take(t, now_ns, wait_ns, SIZE_MAX, &out);
	for (i = 0; i < out.n; i++) {
		buf_printf(&text, "%.*s%.*s", (int)out.series[i].metric.n,
		    out.series[i].metric.p, (int)out.series[i].tags->json.n,
		    out.series[i].tags->json.p);
		for (k = 0; k < out.series[i].n; k++)
			buf_printf(&text, " %lld:%g/%g",
			    (long long)out.series[i].values[k].second,
			    sink_sum(out.series[i].values[k].sink),
			    (double)out.series[i].values[k].sink->count);
		buf_char(&text, '\n');
	}
	timeseries_taken_release(&out);
	return text;
}

static void
check_taken(struct timeseries *t, int64_t now_ns, int64_t wait_ns,
    const char *want)
{
	struct buf text = taken(t, now_ns, wait_ns);

	CHECK_BUF(text, want);
	buf_release(&text);
}

static void
test_order(void)
{
	struct timeseries t = { .period_ns = 3 * S };

	add(&t, "vus", "{}", 7 * S, 5);
	add(&t, "http_reqs", "{\"b\":\"1\"}", 4 * S, 1);
	add(&t, "http_reqs", "{\"a\":\"1\"}", 4 * S, 1);
	add(&t, "http_reqs", "{\"b\":\"1\"}", 2 * S, 1);
	add(&t, "http_reqs", "{\"b\":\"1\"}", 5 * S, 1);
	CHECK(t.n == 3 && t.n_entries == 4);
	check_taken(&t, INT64_MAX, 0, "http_reqs{\"a\":\"1\"} 3:1/1\n"
	    "http_reqs{\"b\":\"1\"} 0:1/1 3:2/2\nvus{} 6:5/1\n");
	CHECK(t.n == 0 && t.n_entries == 0);
	timeseries_release(&t);
}

/* PROTOCOL 5.4: due when id <= trunc((now - wait) / period). */
static void
test_due(void)
{
	struct timeseries t = { .period_ns = 3 * S };

	add(&t, "vus", "{}", 3 * S, 1);
	add(&t, "vus", "{}", 6 * S, 2);
	CHECK(!timeseries_is_due(&t, 11 * S - 1, 8 * S));
	CHECK(timeseries_is_due(&t, 11 * S, 8 * S));
	check_taken(&t, 11 * S, 8 * S, "vus{} 3:1/1\n");
	add(&t, "vus", "{}", 4 * S, 7);		/* late */
	check_taken(&t, 11 * S, 8 * S, "vus{} 3:7/1\n");
	check_taken(&t, INT64_MAX, 8 * S, "vus{} 6:2/1\n");
	check_taken(&t, INT64_MAX, 8 * S, "");
	timeseries_release(&t);
}

/* Go's division is toward zero: the bucket around 1970 is twice as long. */
static void
test_before_1970(void)
{
	struct timeseries t = { .period_ns = 3 * S };

	add(&t, "vus", "{}", -7 * S, 1);
	add(&t, "vus", "{}", -3 * S, 1);
	add(&t, "vus", "{}", -3 * S + 1, 1);
	add(&t, "vus", "{}", 0, 1);
	add(&t, "vus", "{}", 3 * S - 1, 1);
	add(&t, "vus", "{}", 3 * S, 1);
	check_taken(&t, INT64_MAX, 0, "vus{} -6:1/1 -3:1/1 0:3/3 3:1/1\n");
	timeseries_release(&t);
}

/* Tag sets that were freed come back at the same address as others. */
static void
test_forget(void)
{
	struct timeseries t = { .period_ns = 3 * S };
	int i;

	for (i = 0; i < 50; i++) {
		add(&t, "http_reqs", i % 2 == 0 ? "{\"k\":\"a\"}"
		    : "{\"k\":\"b\"}", S, 1);
		timeseries_forget_tags(&t);
		tags_release(&tags);
	}
	check_taken(&t, INT64_MAX, 0, "http_reqs{\"k\":\"a\"} 0:25/25\n"
	    "http_reqs{\"k\":\"b\"} 0:25/25\n");
	timeseries_release(&t);
}

/* Any order of the same values, taken at any moments, gives the same sums. */
static void
test_any_order(void)
{
	static const char *const names[] = { "http_reqs", "vus", "checks" };
	static const char *const sets[] = { "{}", "{\"a\":\"1\"}",
	    "{\"a\":\"2\"}" };
	double sums[3][3][5] = { 0 }, got[3][3][5] = { 0 };
	struct timeseries t = { .period_ns = 1 * S };
	struct timeseries_taken out;
	size_t round, m, s, b, i, k;

	for (round = 0; round < 5000; round++) {
		m = random_below(3);
		s = random_below(3);
		b = random_below(5);
		add(&t, names[m], sets[s], (int64_t)b * S + (int64_t)
		    random_below((uint32_t)S), (double)round);
		sums[m][s][b] += (double)round;
		if (random_below(100) != 0 && round != 4999)
			continue;
		timeseries_take(&t, round == 4999 ? INT64_MAX
		    : (int64_t)random_below(5) * S, 0, round == 4999
		    ? SIZE_MAX : 1 + random_below(3), &out);
		for (i = 0; i < out.n; i++)
			for (k = 0; k < out.series[i].n; k++)
				for (m = 0; m < 3; m++)
					for (s = 0; s < 3; s++)
						if (span_is(out.series[i].
						    metric, names[m]) &&
						    span_is(out.series[i].
						    tags->json, sets[s]))
							got[m][s][out.series[i].
							    values[k].second]
							    += sink_sum(
							    out.series[i].
							    values[k].sink);
		timeseries_taken_release(&out);
	}
	CHECK(memcmp(sums, got, sizeof(sums)) == 0);
	timeseries_release(&t);
}

/* What goes onto the wire is the same to the last bit. */
static void
test_exact_sums(void)
{
	enum { N = 300, SHUFFLES = 100 };
	struct timeseries t;
	struct timeseries_taken out;
	double values[N], want = 0;
	int64_t sum_ns = 0;
	int i, round;

	for (i = 0; i < N; i++) {
		sum_ns += i * INT64_C(12345679);
		values[i] = (double)(i * INT64_C(12345679)) / 1e6;
	}
	want = (double)sum_ns / 1e6;
	for (round = 0; round < SHUFFLES; round++) {
		t = (struct timeseries){ .period_ns = S };
		random_shuffle(values, N);
		for (i = 0; i < N; i++)
			add(&t, "http_req_waiting", "{}", i, values[i]);
		timeseries_take(&t, INT64_MAX, 0, SIZE_MAX, &out);
		CHECK(out.n == 1 && sink_sum(out.series[0].values[0].sink) ==
		    want);
		timeseries_taken_release(&out);
		timeseries_release(&t);
	}
}

int
main(void)
{
	test("series come out by metric, tag set and time", test_order);
	test("a bucket is due a wait after its start, late values reopen it",
	    test_due);
	test("buckets before 1970 are k6's", test_before_1970);
	test("freed tag sets are not mistaken for new ones", test_forget);
	test("values add up in any order, taken at any time",
	    test_any_order);
	test("sums of times are exact, whatever the order", test_exact_sums);
	tags_release(&tags);
	metrics_release(&metrics);
	return tap_end();
}
