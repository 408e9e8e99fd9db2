/* SPDX-License-Identifier: MIT */
/* Bodies of many samples, in pieces or odd, and what is refused. */
#include "data/sample_parse.c"

#include "data/sample_fixture.h"

static int
second_ends(void *ctx, const struct sample *s)
{
	CHECK(s->kind == SAMPLE_POINT);
	return ++*(int *)ctx == 2 ? 42 : 0;
}

static void
many(void)
{
	struct buf body = { 0 };
	int n = 0;

	buf_printf(&body, " [ %s , %s,%s ] ", vus_line, vus_line, vus_line);
	CHECK(read_body(body.p) == 0 && again.n == 3 * strlen(vus_line) + 2);
	CHECK(sample_parse_all((struct span){ body.p, body.n }, &tags,
	    second_ends, &n, &why) == 42 && n == 2);
	CHECK(read_body("[]") == 0 && again.n == 0);
	buf_release(&body);
}

/* Read a body of which so many bytes more are there each time. */
static int
read_pieces(struct span body, size_t first, size_t more)
{
	struct sample_reader r = { .tags = &tags, .each = note, .ctx = &got };
	struct span window = { body.p, 0 };
	size_t used, seen = first;
	int status;

	buf_reset(&again);
	why.text[0] = '\0';
	for (;; seen += more) {
		seen = seen < body.n ? seen : body.n;
		window.n = (size_t)(body.p + seen - window.p);
		status = sample_feed(&r, window, seen == body.n, &used, &why);
		if (status != 0 || seen == body.n)
			return status;
		window.p += used;
	}
}

static void
pieces(void)
{
	static const char *const bad[] = { "", " ", "[", "[1]", "[{}]", "{}",
	    "[]x", "[,]", "[{\"type\":\"Point\"]", "[{\"a\":\"\\u00\"}]",
	    "[{\"a\":tru}]", "[{\"a\":\"\xc3(\"}]" };
	struct buf body = { 0 };
	char want[sizeof(why.text)];
	size_t i, k;

	buf_printf(&body, " [ %s , %s,%s ] ", vus_line,
	    "{\"type\":\"Point\",\"metric\":\"x\",\"data\":{\"time\":\"" T
	    "\",\"type\":\"rate\",\"later\":[true,null,-1.5e3,\"\\u00e9\xc3"
	    "\xa9\"],\"tags\":{},\"value\":1.5}}", vus_line);
	for (i = 0; i <= body.n; i++) {
		CHECK(read_pieces(buf_whole(&body), i, body.n) == 0);
		CHECK(again.n > 2 * strlen(vus_line) + 60);
	}
	CHECK(read_pieces(buf_whole(&body), 0, 1) == 0);
	CHECK(again.n > 2 * strlen(vus_line) + 60);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(read_body(bad[i]) == -1);
		memcpy(want, why.text, sizeof(want));
		for (k = 0; k <= strlen(bad[i]); k++) {
			CHECK(read_pieces(span_of(bad[i]), k, 1) == -1);
			CHECK_TEXT(why.text, want);
		}
	}
	CHECK(read_pieces(SPAN(" [ ] "), 0, 1) == 0 && again.n == 0);
	buf_release(&body);
}

static void
lenient(void)
{
	CHECK(read_body("[{\"data\":{\"value\":1.5,\"time\":1700000002500000,"
	    "\"later\":[],\"type\":\"rate\"},\"later\":{},\"metric\":\"x\","
	    "\"type\":\"Point\"}]") == 0);
	CHECK_BUF(again, "{\"type\":\"Point\",\"metric\":\"x\",\"data\":{"
	    "\"time\":\"" T "\",\"type\":\"rate\",\"tags\":{},"
	    "\"value\":1.5}}");
}

#define POINT(data) "[{\"type\":\"Point\",\"metric\":\"x\",\"data\":{" data \
	"}}]"
#define TRAIL(values) "[{\"type\":\"Points\",\"metric\":\"http_req_li_all\"," \
	"\"data\":{\"time\":\"1\",\"values\":" values "}}]"
#define NET(values) "[{\"type\":\"Points\",\"metric\":\"iter_li_all\"," \
	"\"data\":{\"time\":\"1\",\"values\":" values "}}]"

static void
refused(void)
{
	static const char *const rows[] = { "", "{}", "[", "[{}]", "[1]",
		"[null]", "[{}", "[]]", POINT(""),
		POINT("\"time\":\"1\""), POINT("\"time\":\"1\",\"type\":"
		    "\"gauge\""),
		POINT("\"time\":\"1\",\"type\":\"gauge\",\"value\":\"1\""),
		POINT("\"time\":\"1\",\"type\":\"gauge\",\"value\":1e999"),
		POINT("\"time\":\"1\",\"type\":\"Gauge\",\"value\":1"),
		POINT("\"time\":\"1.5\",\"type\":\"gauge\",\"value\":1"),
		POINT("\"time\":\"\",\"type\":\"gauge\",\"value\":1"),
		POINT("\"time\":null,\"type\":\"gauge\",\"value\":1"),
		POINT("\"time\":\"9223372036854776\",\"type\":\"gauge\","
		    "\"value\":1"),
		POINT("\"time\":\"100000000000000000000000000\",\"type\":"
		    "\"gauge\",\"value\":1"),
		POINT("\"time\":\"1\",\"type\":\"gauge\",\"value\":1,"
		    "\"tags\":[]"),
		POINT("\"time\":\"1\",\"type\":\"gauge\",\"value\":1,"
		    "\"tags\":{\"a\":1}"),
		"[{\"type\":\"Point\",\"metric\":\"x\"}]",
		"[{\"type\":\"Points\",\"metric\":\"x\",\"data\":{\"time\":"
		    "\"1\",\"values\":{}}}]",
		"[{\"type\":\"Other\",\"metric\":\"x\",\"data\":{\"time\":"
		    "\"1\"}}]",
		TRAIL("{}"), TRAIL("1"), TRAIL("{\"http_reqs\":1}"),
		NET("{}"), NET("{\"data_sent\":1}"),
		NET("{\"data_sent\":1,\"iterations\":1}"),
		NET("{\"data_sent\":1,\"data_received\":null}"),
		"[{\"type\":\"Points\",\"metric\":\"iter_li_all\",\"data\":{"
		    "\"time\":\"1\"}}]",
		"[{\"type\":\"AggregatedPoints\",\"metric\":"
		    "\"http_req_li_all\",\"data\":{\"time\":\"1\","
		    "\"count\":1}}]",
		"[{\"type\":\"AggregatedPoints\",\"metric\":"
		    "\"http_req_li_all\",\"data\":{\"time\":\"1\","
		    "\"count\":1,\"values\":{\"http_req_duration\":{}}}}]",
		"[{\"type\":\"AggregatedPoints\",\"metric\":"
		    "\"http_req_li_all\",\"data\":{\"time\":\"1\","
		    "\"count\":0,\"values\":{}}}]" };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (read_body(rows[i]) != -1)
			CHECK_TEXT(rows[i], "refused");
		CHECK(strstr(why.text, " (byte ") != NULL);
	}
}

/* Change one thing in a printed aggregate. */
static int
changed(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	struct buf b = { 0 };
	int status;

	CHECK(at != NULL);
	buf_char(&b, '[');
	buf_add(&b, text, (size_t)(at - text));
	buf_printf(&b, "%s%s]", to, at + strlen(from));
	status = read_body(b.p);
	buf_release(&b);
	return status;
}

static void
inconsistent(void)
{
	struct trail t = request;
	struct aggregate a = { .time_ns = NS_T, .tags = tagged("{}"),
	    .period_ns = 3 * NS_PER_S };
	struct sample s = { .kind = SAMPLE_AGGREGATE, .aggregate = &a };
	struct buf b = { 0 };

	fold(&a, &t);
	fold(&a, &t);
	sample_print(&s, true, &b);
	CHECK(changed(b.p, "\"count\":2", "\"count\":2") == 0);
	CHECK(changed(b.p, "\"count\":2", "\"count\":3") == -1);
	CHECK(changed(b.p, "\"count\":2", "\"count\":2.5") == -1);
	CHECK(changed(b.p, "\"count\":2", "\"count\":1e300") == -1);
	CHECK(changed(b.p, "\"count\":2", "\"count\":\"2\"") == -1);
	CHECK(changed(b.p, "\"counters\":[2]", "\"counters\":[1]") == -1);
	CHECK(changed(b.p, "\"counters\":[2]", "\"counters\":[]") == -1);
	CHECK(changed(b.p, "\"nz_count\":0", "\"nz_count\":3") == -1);
	CHECK(changed(b.p, "\"nz_count\":0", "\"nz_count\":-1") == -1);
	CHECK(changed(b.p, "\"nz_count\":0", "\"nz_count\":0.5") == -1);
	CHECK(changed(b.p, "\"min\":0.123", "\"min\":1e300") == -1);
	CHECK(changed(b.p, "\"min\":0.123", "\"min\":1e6") == -1);
	CHECK(changed(b.p, "\"http_req_waiting\"", "\"x\"") == -1);
	CHECK(changed(b.p, "\"period\":\"3s\"", "\"period\":\"1h\"") == 0);
	CHECK(changed(b.p, "\"period\":\"3s\"", "\"period\":\"-3s\"") == -1);
	CHECK(changed(b.p, "\"period\":\"3s\"", "\"period\":\"soon\"") == -1);
	CHECK(changed(b.p, "\"period\":\"3s\"", "\"period\":\"2500000h\"") ==
	    -1);
	buf_release(&b);
	aggregate_release(&a);
}

int
main(void)
{
	test("a body holds any number of samples, each is handed out", many);
	test("pieces of a body are read like the whole", pieces);
	test("members may stand in any order, with unknown ones", lenient);
	test("what is no sample is refused with its place", refused);
	test("numbers that contradict each other are refused",
	    inconsistent);
	return sample_tests_end();
}
