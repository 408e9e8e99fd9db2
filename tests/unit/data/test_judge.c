/* SPDX-License-Identifier: MIT */
#include "data/judge.c"

#include "tap.h"

static struct judge judge;
static struct stream stream;
static struct why why;

static void
take(const char *text)
{
	struct line line;

	switch (stream_read(&stream, span_of(text), &line, &why)) {
	case LINE_METRIC:
		CHECK(judge_add_metric(&judge, line.data, &why) == 0);
		break;
	case LINE_POINT:
		judge_add_point(&judge, &line.point);
		break;
	default:
		CHECK(false);	/* no line of the stream */
	}
}

static void
finish(void)
{
	judge_release(&judge);
	stream_release(&stream);
	stream = (struct stream){ .key = { 0 } };
}

#define METRIC(name, type, thresholds, subs) "{\"type\":\"Metric\",\"data\":{" \
	"\"name\":\"" name "\",\"type\":\"" type "\"," \
	"\"contains\":\"default\",\"thresholds\":" thresholds "," \
	"\"submetrics\":" subs "},\"metric\":\"" name "\"}"
#define POINT(name, second, value, tags) "{\"metric\":\"" name "\"," \
	"\"type\":\"Point\",\"data\":{\"time\":\"2026-03-01T10:00:" second \
	"Z\",\"value\":" value ",\"tags\":{" tags "}}}"

static void
test_metric_lines(void)
{
	struct buf out = { 0 };

	take(METRIC("m", "trend", "[\"p(95)\\u003c10\",\"avg<9\"]", "null"));
	take(METRIC("m", "trend", "[\"p(95)<10\",\"avg<9\"]", "null"));
	take(METRIC("c", "counter", "[{\"threshold\":\"count<2\","
	    "\"abortOnFail\":true,\"delayAbortEval\":\"3s\"}]", "null"));
	CHECK(judge.n == 3 && !judge.aborts);
	CHECK(judge.list[2]->ends_generator);
	CHECK(judge.list[2]->threshold.delay_ns == 3 * NS_PER_S);
	take(POINT("m", "00", "500", ""));
	take(POINT("c", "00", "1", ""));
	CHECK(judge_all(&judge, 1) == 2);
	CHECK(judge.list[0]->is_failed && judge.list[1]->is_failed &&
	    !judge.list[2]->is_failed);
	judge_print_plan(&judge, false, &out);
	CHECK_SPAN(buf_whole(&out),
	    "{\"m\":[\"p(95)<10\",\"avg<9\"],\"c\":[\"count<2\"]}");
	buf_reset(&out);
	judge_print_plan(&judge, true, &out);
	CHECK_SPAN(buf_whole(&out), "{\"m\":[\"p(95)<10\",\"avg<9\"],"
	    "\"c\":[{\"threshold\":\"count<2\",\"abortOnFail\":true,"
	    "\"delayAbortEval\":\"3s\"}]}");
	buf_reset(&out);
	judge_print_results(&judge, &out);
	CHECK_SPAN(buf_whole(&out),
	    "{\"m\":{\"p(95)<10\":true,\"avg<9\":true},"
	    "\"c\":{\"count<2\":false}}");
	buf_release(&out);
	finish();
}

static void
test_submetrics(void)
{
	size_t at = 0;

	CHECK(judge_add_option(&judge, "m{name:b}=max<5", &why) == 0);
	CHECK(judge_add_option(&judge, "m=max<50", &why) == 0);
	take(METRIC("m", "trend", "[]", "[{\"name\":\"m{name:a}\",\"suffix\":"
	    "\"name:a\",\"tags\":{\"name\":\"a\"}},{\"name\":\"m{name:b}\"},"
	    "{\"name\":\"m{expected_response:true}\"}]"));
	take(POINT("m", "00", "40", "\"name\":\"a\""));
	take(POINT("m", "00", "4", "\"name\":\"b\""));
	CHECK(judge_all(&judge, 1) == 0);
	take(POINT("m", "00", "6", "\"name\":\"b\",\"x\":\"y\""));
	CHECK(judge_all(&judge, 1) == 1 && judge.list[0]->is_failed);
	CHECK(judge_measure(judge.list[0], 1) == 6);
	CHECK(strcmp(judge_next_untold(&judge, &at), "m{name:a}") == 0);
	CHECK(judge_next_untold(&judge, &at) == NULL);
	finish();
}

static void
test_types(void)
{
	CHECK(judge_add_option(&judge, "http_reqs=p(95)<5", &why) < 0);
	CHECK(strstr(why.text, "counter") != NULL);
	finish();
	CHECK(judge_add_option(&judge, "mine=p(95)<5", &why) == 0);
	CHECK(judge_add_option(&judge, "mine{a:b}=count<5", &why) == 0);
	take(METRIC("mine", "counter", "[]", "null"));
	CHECK(judge.list[0]->is_misfit && !judge.list[1]->is_misfit);
	take(POINT("mine", "00", "6", "\"a\":\"b\""));
	CHECK(judge_all(&judge, 1) == 1);
	finish();
}

static void
test_json(void)
{
	CHECK(judge_add_json(&judge, SPAN("{\"m\":[\"avg<1\"],"
	    "\"m{a:1}\":\"max<2\"}"), &why) == 0);
	CHECK(judge.n == 2);
	CHECK(judge_add_json(&judge, SPAN("{\"m\":[\"p95<1\",\"min<1\"]}"),
	    &why) < 0);
	CHECK(strstr(why.text, "p95") != NULL);
	CHECK(judge.n == 3);
	CHECK(judge_add_json(&judge, SPAN("{\"m\":"), &why) < 0);
	judge_take_results(&judge, SPAN("{\"m\":{\"avg<1\":true,\"no\":true},"
	    "\"m{a:1}\":{\"max<2\":false},\"x\":3}"));
	CHECK(judge_all(&judge, 1) == 1 && judge.list[0]->is_failed);
	CHECK(!judge_has_samples(judge.list[0]));
	finish();
}

static void
test_clock(void)
{
	int64_t s = NS_PER_S;

	CHECK(judge_add_option(&judge, "m=max<5,abortOnFail,"
	    "delayAbortEval=5s", &why) == 0);
	take(POINT("m", "00", "6", ""));
	CHECK(judge_clock(&judge, 100 * s) == NULL);
	CHECK(judge_clock(&judge, 102 * s) == NULL);
	CHECK(judge_clock(&judge, 105 * s) == NULL);
	take(POINT("m", "05", "1", ""));
	CHECK(judge_clock(&judge, 106 * s) == NULL);
	CHECK(judge_clock(&judge, 107 * s) == judge.list[0]);
	CHECK(judge.list[0]->is_failed && judge_all(&judge, 1) == 1);
	CHECK(judge_clock(&judge, 108 * s) == NULL);
	CHECK(judge_clock(&judge, 99 * s) == NULL);
	CHECK(judge_clock(&judge, INT64_MAX) == judge.list[0]);
	CHECK(!judge_ended_generator(&judge));
	finish();
}

static void
test_generator(void)
{
	int64_t s = NS_PER_S;

	take(METRIC("c", "counter", "[{\"threshold\":\"count<2\","
	    "\"abortOnFail\":true,\"delayAbortEval\":\"3s\"}]", "null"));
	take(POINT("c", "00", "1", ""));
	take(POINT("c", "02", "1", ""));
	CHECK(judge_clock(&judge, s) == NULL && judge_clock(&judge, 9 * s) ==
	    NULL);
	CHECK(judge_all(&judge, 2) == 1 && !judge_ended_generator(&judge));
	take(POINT("c", "04", "1", ""));
	CHECK(judge_clock(&judge, 99 * s) == NULL);
	CHECK(judge_all(&judge, 4) == 1 && judge_ended_generator(&judge));
	CHECK(judge_add_option(&judge, "c=count<2", &why) == 0);
	CHECK(!judge.aborts && judge_clock(&judge, 199 * s) == NULL);
	CHECK(judge_add_option(&judge, "c=count<2,abortOnFail", &why) == 0);
	CHECK(judge_clock(&judge, 299 * s) == NULL);
	CHECK(judge_clock(&judge, 399 * s) == judge.list[0]);
	finish();
}

/* Points of a time come before the requests of that time, which are folded:
 * no rate is too low for that. */
static void
test_rates(void)
{
	struct aggregate a = { .tags = tags_intern(&stream.tags, NULL, 0),
	    .count = 30, .period_ns = 3 * NS_PER_S };
	const struct sample sample = { .kind = SAMPLE_AGGREGATE,
	    .aggregate = &a };
	int64_t s = NS_PER_S, begin = 0;

	CHECK(judge_add_option(&judge, "http_reqs=rate>9,abortOnFail", &why)
	    == 0);
	take(POINT("http_reqs", "00", "1", ""));
	CHECK(judge_clock(&judge, 1) == NULL);
	CHECK(judge_clock(&judge, 5 * s) == NULL);	/* no time has passed */
	CHECK(time_parse(SPAN("2026-03-01T10:00:00Z"), &begin));
	a.time_ns = begin + 3 * s / 2;
	judge_add_sample(&judge, &sample);
	take(POINT("vus", "08", "1", ""));
	CHECK(judge_clock(&judge, 10 * s) == NULL);
	a.time_ns += 3 * s;
	a.count = 10;
	judge_add_sample(&judge, &sample);
	CHECK(judge_clock(&judge, 20 * s) == judge.list[0]);
	finish();
}

static void
test_aggregates(void)
{
	struct tag tag = { SPAN("name"), SPAN("a") };
	const struct tagset *tags = tags_intern(&stream.tags, &tag, 1);
	struct aggregate a = { .tags = tags, .count = 10, .failed_count = 10,
	    .failed_nonzero = 4, .time_ns = 5 };
	const struct sample s = { .kind = SAMPLE_AGGREGATE, .aggregate = &a };

	CHECK(judge_add_option(&judge, "http_req_failed=rate<0.3", &why) == 0);
	CHECK(judge_add_option(&judge, "http_reqs{name:b}=count<1", &why) ==
	    0);
	CHECK(judge_add_option(&judge, "http_reqs=count>9", &why) == 0);
	judge_add_sample(&judge, &s);
	CHECK(judge_all(&judge, 1) == 1 && judge.list[0]->is_failed);
	CHECK(judge_measure(judge.list[0], 1) == 0.4);
	finish();
}

static void
test_sinks(void)
{
	struct tag tag = { SPAN("name"), SPAN("a") };
	const struct tagset *tags = tags_intern(&stream.tags, &tag, 1);
	struct sink sink = { .type = METRIC_COUNTER };

	CHECK(judge_add_option(&judge, "own=count<3", &why) == 0);
	CHECK(judge_add_option(&judge, "own{name:a}=count<3", &why) == 0);
	sink_add(&sink, 4, 1);
	judge_add_sink(&judge, SPAN("own"), NULL, &sink);
	judge_add_sink(&judge, SPAN("other"), NULL, &sink);
	CHECK(judge_measure(judge.list[0], 1) == 4);
	CHECK(!judge_has_samples(judge.list[1]));
	judge_add_sink(&judge, SPAN("own"), tags, &sink);
	judge_add_sink(&judge, SPAN("own"), tags, &sink);
	judge_add_sink(&judge, SPAN("own"), tags_intern(&stream.tags, NULL,
	    0), &sink);
	CHECK(judge_measure(judge.list[0], 1) == 4);
	CHECK(judge_measure(judge.list[1], 1) == 8);
	sink_release(&sink);
	finish();
}

int
main(void)
{
	test("thresholds of Metric lines are read, once each",
	    test_metric_lines);
	test("those of submetrics have their samples; unknown ones are named",
	    test_submetrics);
	test("a method that the metric does not have is told", test_types);
	test("thresholds and verdicts come as JSON too", test_json);
	test("those that abort are judged every two seconds", test_clock);
	test("those of the stream end its generator, not us", test_generator);
	test("rates of folded requests are of the time that these tell of",
	    test_rates);
	test("requests in aggregates count", test_aggregates);
	test("sinks that add up samples count for keys of their kind",
	    test_sinks);
	return tap_end();
}
