/* SPDX-License-Identifier: MIT */
#include "data/run.c"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

static void
names(void)
{
	CHECK_TEXT(run_status_name(RUN_CREATED), "Created");
	CHECK_TEXT(run_status_name(RUN_RUNNING), "Running");
	CHECK_TEXT(run_status_name(RUN_FINISHED), "Finished");
	CHECK_TEXT(run_status_name(RUN_TIMED_OUT), "Timed out");
	CHECK_TEXT(run_status_name(RUN_ABORTED_BY_USER), "Aborted by User");
	CHECK_TEXT(run_status_name(RUN_ABORTED_BY_LIMIT), "Aborted by Limit");
	CHECK_TEXT(run_status_name(-3), "Unknown");
	CHECK_TEXT(run_status_name(10), "Unknown");
}

static void
worse(void)
{
	int a, b;

	CHECK(run_status_worse(RUN_FINISHED, RUN_FINISHED) == RUN_FINISHED);
	CHECK(run_status_worse(RUN_FINISHED, RUN_ABORTED_BY_USER) ==
	    RUN_ABORTED_BY_USER);
	CHECK(run_status_worse(RUN_ABORTED_BY_SYSTEM, RUN_ABORTED_BY_USER) ==
	    RUN_ABORTED_BY_SYSTEM);
	CHECK(run_status_worse(RUN_TIMED_OUT, RUN_FINISHED) == RUN_TIMED_OUT);
	for (a = RUN_CREATED; a <= RUN_ABORTED_BY_LIMIT; a++)
		for (b = RUN_CREATED; b <= RUN_ABORTED_BY_LIMIT; b++) {
			CHECK(run_status_worse(a, b) ==
			    run_status_worse(b, a));
			CHECK(run_status_worse(a, b) == a ||
			    run_status_worse(a, b) == b);
		}
}

/* The value of "data" in a printed line. */
static struct span
data_of(const struct buf *line)
{
	struct jsn j = jsn_of((struct span){ line->p, line->n });
	struct span key, data = { NULL, 0 };

	CHECK(line->p[line->n - 1] == '\n' &&
	    memchr(line->p, '\n', line->n) == line->p + line->n - 1);
	(void)jsn_enter(&j, '{');
	while (jsn_member(&j, &key))
		if (span_is(key, "data"))
			(void)jsn_value(&j, &data);
		else
			(void)jsn_skip(&j);
	CHECK(jsn_done(&j));
	return data;
}

static void
start_trip(void)
{
	struct run_start r = { .name = SPAN("my \"test\"\n\xc3\xa9"),
	    .executor = SPAN("constant-vus"), .tool = SPAN("k6gen 0.1.0"),
	    .host = SPAN("box"), .thresholds = SPAN("{\"m\":[\"avg<1\"]}"),
	    .time_ns = 1700000000123456789, .vus = 10,
	    .duration_ns = 90 * NS_PER_S, .iterations = 500 }, back;
	struct buf line = { 0 }, text = { 0 };
	struct why why;

	run_start_print(&r, &line);
	CHECK(run_start_parse(&back, data_of(&line), &text, &why) == 0);
	CHECK_SPAN(back.name, "my \"test\"\n\xc3\xa9");
	CHECK(span_equal(back.executor, r.executor));
	CHECK(span_equal(back.tool, r.tool));
	CHECK(span_equal(back.host, r.host));
	CHECK_SPAN(back.thresholds, "{\"m\":[\"avg<1\"]}");
	CHECK(back.time_ns == r.time_ns && back.vus == 10);
	CHECK(back.duration_ns == r.duration_ns && back.iterations == 500);
	buf_release(&line);
	buf_release(&text);
}

static void
end_trip(void)
{
	struct run_end r = { .tool = SPAN("k6agg 0.1.0"), .thresholds =
	    SPAN("{\"m\":{\"avg<1\":true}}"), .time_ns = 1700000001000000000,
	    .run_status = RUN_ABORTED_BY_THRESHOLD, .result_status = 1,
	    .exit_code = 99, .streams = 3, .points = 9000,
	    .requests = 1000, .folded = 880, .passed = 100, .dropped = 20,
	    .points_dropped = 180,
	    .late = 7, .skipped = 2 }, back;
	struct buf line = { 0 };
	struct why why;

	run_end_print(&r, &line);
	CHECK(strstr(line.p, "\"state\":\"Aborted by Threshold\"") != NULL);
	CHECK(run_end_parse(&back, data_of(&line), &why) == 0);
	CHECK_SPAN(back.thresholds, "{\"m\":{\"avg<1\":true}}");
	CHECK(back.time_ns == r.time_ns);
	CHECK(back.run_status == r.run_status);
	CHECK(back.result_status == 1 && back.exit_code == 99);
	CHECK(back.streams == 3 && back.points == 9000);
	CHECK(back.requests == 1000 && back.folded == 880);
	CHECK(back.dropped == 20 && back.points_dropped == 180);
	CHECK(back.passed == 100 && back.late == 7 && back.skipped == 2);
	buf_release(&line);
}

static void
absent(void)
{
	struct buf text = { 0 };
	struct run_start start;
	struct run_end end;
	struct why why;

	CHECK(run_start_parse(&start, SPAN("{\"later\":[{}]}"), &text,
	    &why) == 0);
	CHECK(start.name.n == 0 && start.vus == 0);
	CHECK_SPAN(start.thresholds, "{}");
	CHECK(run_end_parse(&end, SPAN("{ }"), &why) == 0);
	CHECK(end.run_status == RUN_FINISHED && end.streams == 1);
	CHECK_SPAN(end.thresholds, "{}");
	buf_release(&text);
}

static void
refused(void)
{
	static const char *const rows[] = { "", "null", "[]", "{\"time\":1}",
		"{\"time\":\"yesterday\"}", "{\"vus\":\"10\"}",
		"{\"vus\":1e300}", "{\"duration\":\"long\"}",
		"{\"duration\":3}", "{\"name\":5}", "{\"name\":\"a\"",
		("{\"duration\":"
		"\"0000000000000000000000000000000000000001s\"}") };
	static const char *const ends[] = { "", "null", "{\"points\":true}",
		"{\"run_status\":1000}", "{\"exit_code\":-300}",
		"{\"points\":1e300}", "{\"time\":\"\"}", "{\"late\":1" };
	struct buf text = { 0 };
	struct run_start start;
	struct run_end end;
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (run_start_parse(&start, span_of(rows[i]), &text,
		    &why) != -1 || strncmp(why.text, "Start: ", 7) != 0)
			CHECK_TEXT(rows[i], "refused");
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (run_end_parse(&end, span_of(ends[i]), &why) != -1 ||
		    strncmp(why.text, "End: ", 5) != 0)
			CHECK_TEXT(ends[i], "refused");
	CHECK(true);
	buf_release(&text);
}

static void
trailers(void)
{
	struct run_ends ends = { 0 };
	struct run_end a = { .run_status = RUN_FINISHED, .time_ns = 5,
	    .thresholds = SPAN("{}"), .streams = 1, .points = 1,
	    .requests = 2, .folded = 3, .passed = 4, .late = 5,
	    .skipped = 6 };
	struct run_end b = { .run_status = RUN_ABORTED_BY_USER, .time_ns = 4,
	    .thresholds = SPAN("{\"m\":{\"x\":true}}"),
	    .result_status = 1, .exit_code = 99, .streams = 2,
	    .points = 10, .requests = 20, .folded = 30, .passed = 40,
	    .dropped = 7, .late = 50, .skipped = 60 };
	const struct run_end *e = &ends.end;

	run_ends_add(&ends, &a);
	CHECK(ends.n == 1 && e->run_status == RUN_FINISHED);
	CHECK_SPAN(e->thresholds, "{}");
	run_ends_add(&ends, &b);
	run_ends_add(&ends, &a);
	CHECK(ends.n == 3 && e->run_status == RUN_ABORTED_BY_USER);
	CHECK(e->result_status == 1 && e->exit_code == 99);
	CHECK(e->time_ns == 5 && e->streams == 4);
	CHECK(e->points == 12 && e->requests == 24 && e->folded == 36);
	CHECK(e->dropped == 7);
	CHECK(e->passed == 48 && e->late == 60 && e->skipped == 72);
	CHECK_SPAN(e->thresholds, "{\"m\":{\"x\":true}}");
	run_ends_release(&ends);
}

static void
cut(void)
{
	struct run_ends ends = { 0 };
	struct run_end end = { .streams = 1 };
	struct buf text = { 0 };

	CHECK(!run_tell_cut(0, &ends, &text));
	CHECK(run_tell_cut(1, &ends, &text));
	CHECK_BUF(text, "the stream was cut: a Start line has no End line");
	run_ends_add(&ends, &end);
	CHECK(!run_tell_cut(1, &ends, &text));
	buf_reset(&text);
	CHECK(run_tell_cut(0, &ends, &text));
	CHECK_BUF(text, "the stream was cut: an End line has no Start line");
	buf_reset(&text);
	CHECK(run_tell_cut(3, &ends, &text));
	CHECK_BUF(text, "the stream was cut: 2 Start lines have no End line");
	run_ends_release(&ends);
	buf_release(&text);
}

static void
cuts(void)
{
	struct run_cuts c = { 0 };

	run_cuts_start(&c, "a");
	run_cuts_start(&c, "b");
	CHECK(c.starts == 2 && strcmp(c.start_input, "a") == 0);
	run_cuts_end(&c, 1, "b");
	CHECK(c.starts == 1 && strcmp(c.start_input, "a") == 0);
	run_cuts_end(&c, 1, "c");
	CHECK(c.starts == 0 && c.start_input == NULL && c.ends == 0);
	run_cuts_start(&c, "d");
	run_cuts_end(&c, 3, "d");
	run_cuts_end(&c, 1, "e");
	CHECK(c.start_input == NULL);
	CHECK(c.ends == 3 && strcmp(c.end_input, "d") == 0);
}

int
main(void)
{
	test("states have k6's names", names);
	test("of two states the worse one wins, either way round", worse);
	test("a Start line reads back", start_trip);
	test("an End line reads back", end_trip);
	test("absent members are empty, unknown ones passed over", absent);
	test("members of a wrong kind are refused", refused);
	test("trailers add up, the first thresholds stay", trailers);
	test("how a stream was cut is told", cut);
	test("the first input that was cut is known", cuts);
	return tap_end();
}
