/* SPDX-License-Identifier: MIT */
#include "data/threshold.c"

#include "tap.h"

static struct threshold t;
static struct why why;

static bool
parses(const char *text)
{
	return threshold_parse(&t, text, &why) == 0;
}

static void
test_parts(void)
{
	CHECK(parses("http_req_duration{status:200, name: 'a b'}=p(95)<300"));
	CHECK_SPAN(t.key.text, "http_req_duration{status:200, name: 'a b'}");
	CHECK_SPAN(t.key.metric, "http_req_duration");
	CHECK_SPAN(t.key.suffix, "status:200, name: 'a b'");
	CHECK(t.key.n_tags == 2);
	CHECK_SPAN(t.key.tags[1].key, "name");
	CHECK_SPAN(t.key.tags[1].value, "a b");
	CHECK_SPAN(t.source, "p(95)<300");
	CHECK(t.method == THRESHOLD_PERCENTILE && t.percentile == 95);
	CHECK(t.op == THRESHOLD_LT && t.limit == 300 && !t.aborts);
}

static void
test_operators(void)
{
	static const struct {
		const char *text;
		enum threshold_op op;
	} cases[] = {
		{ "m=rate<=1", THRESHOLD_LE }, { "m=rate< 1", THRESHOLD_LT },
		{ "m=rate >=1", THRESHOLD_GE }, { "m=rate>1", THRESHOLD_GT },
		{ "m=rate===1", THRESHOLD_EQ }, { "m=rate==1", THRESHOLD_EQ },
		{ "m=rate!=1", THRESHOLD_NE },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK(parses(cases[i].text));
		CHECK(t.op == cases[i].op && t.limit == 1);
	}
}

static void
test_abort(void)
{
	CHECK(parses("checks=rate>0.9,abortOnFail"));
	CHECK(t.aborts && t.delay_ns == 0);
	CHECK_SPAN(t.source, "rate>0.9");
	CHECK(parses("checks=rate>0.9, abortOnFail, delayAbortEval=10s"));
	CHECK(t.aborts && t.delay_ns == 10 * NS_PER_S);
	CHECK(!parses("checks=rate>0.9,abort"));
	CHECK(!parses("checks=rate>0.9,delayAbortEval=soon"));
}

static void
test_refused(void)
{
	static const char *const bad[] = { "", "m", "=p(95)<1", "m=", "m=p(95)",
		"m=p(101)<1", "m=p(-1)<1", "m=p()<1", "m=mean<1", "m=avg<",
		"m=avg<x", "m{a}=avg<1", "m{a:}=avg<1", "m{a:1=avg<1",
		"{a:1}=avg<1", "m{}=avg<1", "m=avg<1 2", "m {a:1}=avg<1" };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(!parses(bad[i]));
		CHECK(why.text[0] != '\0');
	}
}

/* strconv.ParseFloat takes more than JSON's numbers. */
static void
test_numbers(void)
{
	CHECK(parses("m=rate<.5") && t.limit == 0.5);
	CHECK(parses("m=rate<+1.e2") && t.limit == 100);
	CHECK(parses("m=p(.5)<1") && t.percentile == 0.5);
	CHECK(parses("m=value<inf") && threshold_allows(&t, 1e300));
	CHECK(!parses("m=p(nan)<1"));
	CHECK(!parses("m=value<nan(1)"));
}

static void
test_apart(void)
{
	CHECK(threshold_set(&t, SPAN("m{a:b}"), SPAN("p(95) < 3"), &why) == 0);
	CHECK_SPAN(threshold_method_text(&t), "p(95)");
	CHECK(t.key.n_tags == 1 && t.limit == 3);
	CHECK(threshold_set(&t, SPAN("m"), SPAN("p95<3"), &why) < 0);
}

static void
test_fits(void)
{
	CHECK(parses("m=count<1") && threshold_fits(&t, METRIC_COUNTER) &&
	    !threshold_fits(&t, METRIC_TREND));
	CHECK(parses("m=rate<1") && threshold_fits(&t, METRIC_COUNTER) &&
	    threshold_fits(&t, METRIC_RATE) &&
	    !threshold_fits(&t, METRIC_GAUGE));
	CHECK(parses("m=value<1") && threshold_fits(&t, METRIC_GAUGE) &&
	    !threshold_fits(&t, METRIC_RATE));
	CHECK(parses("m=med<1") && threshold_fits(&t, METRIC_TREND) &&
	    !threshold_fits(&t, METRIC_COUNTER));
}

/* PROTOCOL 8.3: p95 of 1..10 is 9.55, med of 1,2,3,4 is 2.5; the histogram
 * is within 0.8 %. */
static void
test_trends(void)
{
	struct sink s = { .type = METRIC_TREND };
	int i;

	CHECK(parses("m=p(95)<1") && threshold_holds(&t, &s, 1));
	for (i = 1; i <= 10; i++)
		sink_add(&s, i, i);
	CHECK(threshold_measure(&t, &s, 1) > 9.55 * 0.992);
	CHECK(threshold_measure(&t, &s, 1) < 9.55 * 1.008);
	CHECK(!threshold_holds(&t, &s, 1));
	CHECK(parses("m=max<=10") && threshold_holds(&t, &s, 1));
	CHECK(parses("m=min==1") && threshold_holds(&t, &s, 1));
	CHECK(parses("m=avg!=5.5") && !threshold_holds(&t, &s, 1));
	sink_release(&s);
}

static void
test_counts(void)
{
	struct sink counter = { .type = METRIC_COUNTER };
	struct sink rate = { .type = METRIC_RATE };

	sink_add(&counter, 30, 1);
	sink_add(&counter, 10, 2);
	CHECK(parses("m=count==40") && threshold_holds(&t, &counter, 5));
	CHECK(parses("m=rate==8") && threshold_holds(&t, &counter, 5));
	sink_add(&rate, 1, 1);
	sink_add(&rate, 0, 2);
	CHECK(parses("m=rate==0.5") && threshold_holds(&t, &rate, 5));
}

static void
test_tags(void)
{
	struct tags tags = { .n = 0 };
	struct tag pairs[] = { { { "status", 6 }, { "200", 3 } },
		{ { "name", 4 }, { "home", 4 } } };
	const struct tagset *set = tags_intern(&tags, pairs, 2);

	CHECK(parses("m{status:200}=avg<1"));
	CHECK(threshold_key_matches(&t.key, set));
	CHECK(parses("m{status:200,name:home}=avg<1"));
	CHECK(threshold_key_matches(&t.key, set));
	CHECK(parses("m{status:200,name:other}=avg<1"));
	CHECK(!threshold_key_matches(&t.key, set));
	CHECK(parses("m=avg<1") && threshold_key_matches(&t.key, set));
	tags_release(&tags);
}

static void
note_one(void *ctx, struct span metric, const struct threshold_json *one)
{
	buf_printf(ctx, "%.*s: %.*s%s %lld\n", (int)metric.n, metric.p,
	    (int)one->source.n, one->source.p, one->aborts ? " aborts" : "",
	    (long long)(one->delay_ns / NS_PER_S));
}

static void
test_json(void)
{
	struct buf out = { 0 };

	threshold_walk(SPAN("{\"a\":[\"p(95)\\u003c3\","
	    "{\"threshold\":\"avg<9\",\"abortOnFail\":true,"
	    "\"delayAbortEval\":\"10s\",\"x\":[1]},7,{},"
	    "[\"no\"]],\"b\":\"avg<1\",\"c\":[{\"threshold\":\"max<1\","
	    "\"delayAbortEval\":\"soon\"}]}"), note_one, &out);
	CHECK_SPAN(buf_whole(&out), "a: p(95)\\u003c3 0\n"
	    "a: avg<9 aborts 10\nc: max<1 0\n");
	buf_reset(&out);
	threshold_walk(SPAN("[\"avg<1\"]"), note_one, &out);
	threshold_walk(SPAN("{\"a\":[\"avg<1\",\"av"), note_one, &out);
	CHECK_SPAN(buf_whole(&out), "a: avg<1 0\n");
	buf_release(&out);
}

int
main(void)
{
	test("a threshold is taken apart", test_parts);
	test("each operator is known", test_operators);
	test("abortOnFail and its delay stand behind a comma", test_abort);
	test("what is no threshold is refused, and why", test_refused);
	test("JSON has texts and objects", test_json);
	test("numbers are those of k6", test_numbers);
	test("key and assertion may stand apart", test_apart);
	test("a method fits the metric types that k6 says", test_fits);
	test("trends are judged by percentile, mean and extremes",
	    test_trends);
	test("counters and rates are judged by count and rate", test_counts);
	test("a key picks samples by their tags", test_tags);
	return tap_end();
}
