/* SPDX-License-Identifier: MIT */
#include "data/stream.c"

#include "tap.h"

#define NS_2021 INT64_C(1614173830000000000)

static struct stream s;
static struct line line;
static struct why why;

static enum line_type
get(const char *text)
{
	why.text[0] = '\0';
	return stream_read(&s, span_of(text), &line, &why);
}

static void
is_point(const char *text, const char *metric, int64_t ns, double value,
    const char *tags)
{
	int pass;

	for (pass = 0; pass < 3; pass++) {	/* unseen, then seen */
		if (get(text) != LINE_POINT) {
			CHECK_TEXT(why.text, "");
			CHECK_TEXT(text, "a point");
			return;
		}
		CHECK_SPAN(line.point.metric->name, metric);
		CHECK(line.point.time_ns == ns && line.point.value == value);
		CHECK_SPAN(line.point.tags->json, tags);
		CHECK(span_is(line.point.line, text));
	}
}

static void
begin(void)
{
	stream_release(&s);
	s = (struct stream){ 0 };
}

/* The lines of PROTOCOL 1.3. */
static void
k6_lines(void)
{
	const struct metric *m;

	begin();
	CHECK(get("{\"type\":\"Metric\",\"data\":{\"name\":\"my_metric1\","
	    "\"type\":\"gauge\",\"contains\":\"default\",\"thresholds\":"
	    "[\"rate<0.01\",\"p(99)<250\"],\"submetrics\":[{\"name\":"
	    "\"my_metric1{a:1,b:2}\",\"suffix\":\"a:1,b:2\",\"tags\":{\"a\":"
	    "\"1\",\"b\":\"2\"}}]},\"metric\":\"my_metric1\"}") ==
	    LINE_METRIC);
	m = metrics_get(&s.metrics, SPAN("my_metric1"));
	CHECK(m->is_declared && m->type == METRIC_GAUGE);
	is_point("{\"metric\":\"my_metric1\",\"type\":\"Point\",\"data\":{"
	    "\"time\":\"2021-02-24T13:37:10Z\",\"value\":1,\"tags\":{"
	    "\"tag1\":\"val1\"},\"metadata\":{\"meta1\":\"foo\",\"meta2\":"
	    "\"bar\"}}}", "my_metric1", NS_2021, 1, "{\"tag1\":\"val1\"}");
	CHECK(line.point.has_metadata && line.point.metric == m);
	is_point("{\"metric\":\"my_metric1\",\"type\":\"Point\",\"data\":{"
	    "\"time\":\"2021-02-24T13:37:10Z\",\"value\":2,\"tags\":{"
	    "\"tag2\":\"val2\"}}}", "my_metric1", NS_2021, 2,
	    "{\"tag2\":\"val2\"}");
	CHECK(!line.point.has_metadata);
	CHECK(get("{\"type\":\"Metric\",\"data\":{\"name\":\"my_metric2\","
	    "\"type\":\"counter\",\"contains\":\"data\",\"thresholds\":[],"
	    "\"submetrics\":null},\"metric\":\"my_metric2\"}") ==
	    LINE_METRIC);
	m = metrics_get(&s.metrics, SPAN("my_metric2"));
	CHECK(m->type == METRIC_COUNTER && m->contains == CONTAINS_DATA);
}

#define TIME "\"time\":\"2021-02-24T13:37:10Z\""

static void
orders(void)
{
	begin();
	/* v0.38 */
	is_point("{\"type\":\"Point\",\"data\":{" TIME ",\"value\":1,"
	    "\"tags\":{\"a\":\"b\"}},\"metric\":\"x\"}", "x", NS_2021, 1,
	    "{\"a\":\"b\"}");
	is_point("{\"data\":{\"tags\":{\"a\":\"b\"},\"value\":1," TIME "},"
	    "\"metric\":\"x\",\"type\":\"Point\"}", "x", NS_2021, 1,
	    "{\"a\":\"b\"}");
	is_point(" { \"metric\" : \"x\", \"type\" : \"Point\" , \"data\" : { "
	    "\"time\" : \"2021-02-24T13:37:10Z\" , \"value\" : 1 , "
	    "\"tags\" : { } } } \r", "x", NS_2021, 1, "{}");
	is_point("{\"metric\":\"x\",\"type\":\"Point\",\"data\":{" TIME ","
	    "\"value\":1,\"tags\":null},\"later\":[{\"time\":1}]}\r", "x",
	    NS_2021, 1, "{}");
	is_point("{\"metric\":\"x\",\"type\":\"Point\",\"data\":{" TIME ","
	    "\"value\":-1.5e-7}}", "x", NS_2021, -1.5e-7, "{}");
	is_point("{\"metric\":\"\\u0078\",\"type\":\"Point\",\"data\":{" TIME
	    ",\"value\":1}}", "x", NS_2021, 1, "{}");
}

/* The same head and tail, another time and value. */
static void
fast_path(void)
{
	char text[200];
	int i;

	begin();
	for (i = 0; i < 50; i++) {
		(void)snprintf(text, sizeof(text), "{\"metric\":\"x\","
		    "\"type\":\"Point\",\"data\":{\"time\":\"2021-02-24T13:"
		    "37:10.%09dZ\",\"value\":%d.25,\"tags\":{\"a\":\"b\"}}}",
		    i, i);
		CHECK(get(text) == LINE_POINT);
		CHECK(line.point.time_ns == NS_2021 + i);
		CHECK(line.point.value == i + 0.25);
	}
	CHECK(s.frames.heads.n == 1 && s.frames.tails.n == 1);
	CHECK(get("{\"metric\":\"x\",\"type\":\"Point\",\"data\":{\"time\":"
	    "\"2021-02-30T13:37:10Z\",\"value\":1,\"tags\":{\"a\":\"b\"}}}")
	    == LINE_BAD);
	CHECK(get("{\"metric\":\"x\",\"type\":\"Point\",\"data\":{" TIME ","
	    "\"value\":1e999,\"tags\":{\"a\":\"b\"}}}") == LINE_BAD);
	CHECK(get("{\"metric\":\"x\",\"type\":\"Point\",\"data\":{" TIME ","
	    "\"value\":01,\"tags\":{\"a\":\"b\"}}}") == LINE_BAD);
}

/* Lines in a row, and what stops them. */
static void
in_a_row(void)
{
	static const char a[] = "{\"metric\":\"a\",\"type\":\"Point\","
	    "\"data\":{" TIME ",\"value\":1,\"tags\":{}}}\n",
	    b[] = "{\"metric\":\"b\",\"type\":\"Point\","
	    "\"data\":{" TIME ",\"value\":2,\"tags\":{}}}\n";
	struct buf text = { 0 };
	struct point p[8];
	size_t bytes = 7;

	begin();
	CHECK(stream_points(&s, SPAN(a), p, 8, &bytes) == 0 && bytes == 0);
	(void)stream_read(&s, (struct span){ a, sizeof(a) - 2 }, &line, &why);
	(void)stream_read(&s, (struct span){ b, sizeof(b) - 2 }, &line, &why);
	buf_text(&text, a);
	buf_text(&text, b);
	buf_text(&text, a);
	CHECK(stream_points(&s, buf_whole(&text), p, 8, &bytes) == 3);
	CHECK(bytes == text.n && p[1].value == 2 && p[2].value == 1);
	CHECK_SPAN(p[1].metric->name, "b");
	CHECK(p[2].line.p == text.p + sizeof(a) + sizeof(b) - 2 &&
	    p[2].line.n == sizeof(a) - 2);
	CHECK(stream_points(&s, buf_whole(&text), p, 2, &bytes) == 2);
	text.n--;	/* no newline: not whole */
	CHECK(stream_points(&s, buf_whole(&text), p, 8, &bytes) == 2);
	CHECK(bytes == sizeof(a) + sizeof(b) - 2);
	buf_text(&text, "x\n");
	CHECK(stream_points(&s, buf_whole(&text), p, 8, &bytes) == 2);
	stream_trim(&s, 100);
	CHECK(stream_points(&s, SPAN(a), p, 8, &bytes) == 1);
	stream_trim(&s, 0);
	CHECK(stream_points(&s, SPAN(a), p, 8, &bytes) == 0);
	is_point("{\"metric\":\"a\",\"type\":\"Point\",\"data\":{" TIME
	    ",\"value\":1,\"tags\":{}}}", "a", NS_2021, 1, "{}");
	buf_release(&text);
}

static void
traps(void)
{
	begin();
	/* the first "time" is not the one that counts */
	is_point("{\"metric\":\"x\",\"type\":\"Point\",\"data\":{\"o\":{"
	    "\"time\":\"2021-01-01T00:00:00Z\",\"value\":9}," TIME
	    ",\"value\":1}}", "x", NS_2021, 1, "{}");
	is_point("{\"metric\":\"x\",\"type\":\"Point\",\"data\":{\"time\":"
	    "\"2021-01-01T00:00:00Z\",\"value\":9," TIME ",\"value\":1}}",
	    "x", NS_2021, 1, "{}");
	is_point("{\"metric\":\"x\",\"type\":\"Point\",\"data\":{" TIME ","
	    "\"value\":9,\"tags\":{},\"value\":1}}", "x", NS_2021, 1, "{}");
	is_point("{\"data\":{\"time\":\"2021-01-01T00:00:00Z\",\"value\":9},"
	    "\"metric\":\"x\",\"type\":\"Point\",\"data\":{" TIME
	    ",\"value\":1}}", "x", NS_2021, 1, "{}");
	/* hidden behind escapes: the same member, for both ways to read */
	is_point("{\"m\\u0065tric\":\"x\",\"type\":\"Poin\\u0074\",\"data\":{"
	    "\"\\u0074ime\":\"2021-02-24T13:37:10\\u005a\",\"value\":1}}",
	    "x", NS_2021, 1, "{}");
	is_point("{\"metric\":\"\\\"time\\\":\\\"\",\"type\":\"Point\","
	    "\"data\":{" TIME ",\"value\":1,\"\\u0074imes\":\"x\"}}",
	    "\"time\":\"", NS_2021, 1, "{}");
	is_point("{\"metric\":\"x\",\"metric\":\"y\",\"type\":\"Start\","
	    "\"type\":\"Point\",\"data\":{" TIME ",\"value\":1,\"tags\":{"
	    "\"a\":\"1\",\"a\":\"2\"}}}", "y", NS_2021, 1,
	    "{\"a\":\"2\"}");
}

static void
other_types(void)
{
	begin();
	CHECK(get("{\"type\":\"Start\",\"data\":{\"vus\":1}}") == LINE_START);
	CHECK_SPAN(line.data, "{\"vus\":1}");
	CHECK(get("{\"type\":\"End\",\"data\":{}}") == LINE_END);
	CHECK(get("{\"type\":\"AggregatedPoints\",\"metric\":"
	    "\"http_req_li_all\",\"data\":{}}") == LINE_AGGREGATED);
	CHECK(get("{\"type\":\"Later\",\"data\":17}") == LINE_OTHER);
	CHECK(get("{\"type\":\"St\\u0061rt\",\"data\":{}}") == LINE_START);
	CHECK(get("") == LINE_BLANK && get(" \t\r") == LINE_BLANK);
}

static void
bad_lines(void)
{
	static const char *const rows[] = { "x", "[]", "{", "17", "\"a\"",
		"{}", "{\"type\":\"\"}", "{\"type\":1}", "null",
		"{\"type\":\"Point\"}",
		"{\"type\":\"Point\",\"metric\":\"x\"}",
		"{\"type\":\"Point\",\"metric\":\"x\",\"data\":{}}",
		"{\"type\":\"Point\",\"metric\":\"x\",\"data\":[]}",
		"{\"type\":\"Point\",\"metric\":\"x\",\"data\":{" TIME "}}",
		"{\"type\":\"Point\",\"metric\":\"x\",\"data\":{\"value\":1}}",
		"{\"type\":\"Point\",\"metric\":\"x\",\"data\":{" TIME
		    ",\"value\":\"1\"}}",
		"{\"type\":\"Point\",\"metric\":\"x\",\"data\":{" TIME
		    ",\"value\":null}}",
		"{\"type\":\"Point\",\"metric\":\"x\",\"data\":{\"time\":1,"
		    "\"value\":1}}",
		"{\"type\":\"Point\",\"metric\":\"x\",\"data\":{" TIME
		    ",\"value\":1,\"tags\":{\"a\":1}}}",
		"{\"type\":\"Point\",\"metric\":\"x\",\"data\":{" TIME
		    ",\"value\":1,\"tags\":[]}}",
		"{\"type\":\"Point\",\"metric\":\"\",\"data\":{" TIME
		    ",\"value\":1}}",
		"{\"type\":\"Point\",\"data\":{" TIME ",\"value\":1}}",
		"{\"type\":\"Point\",\"metric\":\"x\",\"data\":{" TIME
		    ",\"value\":1}",
		"{\"type\":\"Point\",\"metric\":\"x\",\"data\":{" TIME
		    ",\"value\":1}}}",
		"{\"type\":\"Point\",\"metric\":\"x\",\"data\":{" TIME
		    ",\"value\":1,\"tags\":{\"a\":\"\xff\"}}}",
		"{\"type\":\"Point\",\"metric\":\"x\",\"data\":{" TIME
		    ",\"value\":1,\"tags\":{\"a\":\"\xc0\x80\"}}}",
		"{\"type\":\"Metric\",\"data\":{\"type\":\"gauge\"}}",
		"{\"type\":\"Metric\",\"metric\":\"x\",\"data\":{}}",
		"{\"type\":\"Metric\",\"metric\":\"x\",\"data\":{\"type\":"
		    "\"Gauge\"}}",
		"{\"type\":\"Metric\",\"metric\":\"x\"}" };
	size_t i;

	begin();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (get(rows[i]) != LINE_BAD || get(rows[i]) != LINE_BAD)
			CHECK_TEXT(rows[i], "bad");
		CHECK(why.text[0] != '\0' && strlen(why.text) < 80);
	}
	CHECK(stream_read(&s, SPAN("{\"type\":\"x\"}\0"), &line, &why) ==
	    LINE_BAD);
	CHECK(s.frames.heads.n == 0 && s.frames.tails.n == 0);
}

static void
deep(void)
{
	struct buf b = { 0 };
	int depth, i;

	for (depth = JSN_DEPTH; depth <= JSN_DEPTH + 1; depth++) {
		begin();
		buf_reset(&b);
		buf_text(&b, "{\"type\":\"x\",\"data\":");
		for (i = 1; i < depth; i++)
			buf_char(&b, '[');
		for (i = 1; i < depth; i++)
			buf_char(&b, ']');
		buf_char(&b, '}');
		CHECK(get(b.p) == (depth == JSN_DEPTH ? LINE_OTHER
		    : LINE_BAD));
	}
	CHECK(strstr(why.text, "nested too deeply") != NULL);
	buf_release(&b);
}

static void
surrogates(void)
{
	begin();
	is_point("{\"metric\":\"x\",\"type\":\"Point\",\"data\":{" TIME ","
	    "\"value\":1,\"tags\":{\"a\":\"\\ud800\",\"b\":\"\\u0000\"}}}",
	    "x", NS_2021, 1, "{\"a\":\"\xef\xbf\xbd\",\"b\":\"\\u0000\"}");
}

static void
declared_twice(void)
{
	begin();
	CHECK(get("{\"type\":\"Metric\",\"metric\":\"x\",\"data\":{"
	    "\"type\":\"rate\"}}") == LINE_METRIC);
	CHECK(get("{\"type\":\"Metric\",\"metric\":\"x\",\"data\":{"
	    "\"type\":\"rate\"}}") == LINE_METRIC);
	CHECK(get("{\"type\":\"Metric\",\"metric\":\"x\",\"data\":{"
	    "\"type\":\"trend\"}}") == LINE_BAD);
	CHECK(get("{\"type\":\"Metric\",\"data\":{\"name\":\"y\","
	    "\"type\":\"gauge\"}}") == LINE_METRIC);
	CHECK(metrics_get(&s.metrics, SPAN("x"))->type == METRIC_RATE);
	CHECK(metrics_get(&s.metrics, SPAN("y"))->type == METRIC_GAUGE);
}

static void
untyped(void)
{
	static const char *const names[] = { "d", "b", "own", "http_reqs",
		"a", "cc", "late" };
	struct buf text = { 0 };
	char point[200];
	size_t i;

	begin();
	CHECK(!stream_tell_untyped(&s, &text) && text.n == 0);
	CHECK(get("{\"type\":\"Metric\",\"data\":{\"name\":\"own\","
	    "\"type\":\"trend\"}}") == LINE_METRIC);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(point, sizeof(point), "{\"metric\":\"%s\","
		    "\"type\":\"Point\",\"data\":{" TIME ",\"value\":1}}",
		    names[i]);
		CHECK(get(point) == LINE_POINT);
	}
	CHECK(get("{\"type\":\"Metric\",\"data\":{\"name\":\"late\","
	    "\"type\":\"rate\"}}") == LINE_METRIC && line.is_late);
	CHECK(stream_tell_untyped(&s, &text));
	CHECK_BUF(text, "5 metrics have points without a Metric line before "
	    "them, which were taken as a trend: a, b, cc, ...");
	buf_release(&text);
}

static void
name_length(void)
{
	char text[300];

	begin();
	(void)snprintf(text, sizeof(text), "{\"metric\":\"%0128d\","
	    "\"type\":\"Point\",\"data\":{" TIME ",\"value\":1}}", 0);
	CHECK(get(text) == LINE_POINT);
	(void)snprintf(text, sizeof(text), "{\"metric\":\"%0129d\","
	    "\"type\":\"Point\",\"data\":{" TIME ",\"value\":1}}", 0);
	CHECK(get(text) == LINE_BAD);
}

static void
prints(void)
{
	struct metric m = { SPAN("a\"b"), METRIC_RATE, CONTAINS_DATA, true,
	    false };
	struct buf b = { 0 }, text = { 0 }, head = { 0 };
	char time[TIME_TEXT], number[NUM_TEXT];
	size_t n;

	stream_print_metric(&b, &m, SPAN("[]"), SPAN("null"));
	CHECK_BUF(b, "{\"type\":\"Metric\",\"data\":{\"name\":\"a\\\"b\","
	    "\"type\":\"rate\",\"contains\":\"data\",\"thresholds\":[],"
	    "\"submetrics\":null},\"metric\":\"a\\\"b\"}\n");
	buf_reset(&b);
	stream_print_point(&b, SPAN("x"), NS_2021 + 500, 0.25,
	    SPAN("{\"a\":\"b\"}"));
	CHECK_BUF(b, "{\"metric\":\"x\",\"type\":\"Point\",\"data\":{"
	    "\"time\":\"2021-02-24T13:37:10.0000005Z\",\"value\":0.25,"
	    "\"tags\":{\"a\":\"b\"}}}\n");
	stream_print_head(&head, SPAN("x"));
	n = time_print(time, NS_2021 + 500);
	stream_print_text(&text, buf_whole(&head), (struct span){ time, n },
	    (struct span){ number, num_print(number, 0.25) },
	    SPAN("{\"a\":\"b\"}"), SPAN(""));
	CHECK(span_equal(buf_whole(&text), buf_whole(&b)));
	buf_reset(&text);
	n = time_print(time, NS_2021);
	stream_print_text(&text, buf_whole(&head), (struct span){ time, n },
	    (struct span){ number, num_print_int(number, 1) }, SPAN("{}"),
	    SPAN("{\"vu\":\"1\"}"));
	CHECK_BUF(text, "{\"metric\":\"x\",\"type\":\"Point\",\"data\":{"
	    "\"time\":\"2021-02-24T13:37:10Z\",\"value\":1,\"tags\":{},"
	    "\"metadata\":{\"vu\":\"1\"}}}\n");
	buf_release(&text);
	buf_release(&head);
	b.p[b.n - 1] = '\0';
	begin();
	is_point(b.p, "x", NS_2021 + 500, 0.25, "{\"a\":\"b\"}");
	buf_release(&b);
}

int
main(void)
{
	test("k6's own lines are read", k6_lines);
	test("members may stand in any order", orders);
	test("a series that is known reads as a new one does", fast_path);
	test("known lines are read in a row, up to one that is not",
	    in_a_row);
	test("the last of equal members counts, wherever it stands", traps);
	test("other types are told apart", other_types);
	test("bad lines are refused each time, with a reason", bad_lines);
	test("64 levels are taken, 65 are not", deep);
	test("a lone surrogate becomes U+FFFD", surrogates);
	test("a metric keeps the type of its first declaration",
	    declared_twice);
	test("metrics without a Metric line before their points are told",
	    untyped);
	test("names of 128 bytes are taken, 129 are not", name_length);
	test("what is printed reads back", prints);
	stream_release(&s);
	return tap_end();
}
