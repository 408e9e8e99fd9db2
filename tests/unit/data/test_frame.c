/* SPDX-License-Identifier: MIT */
#define HEADS_MAX 3
#include "data/frame.c"

#include "tap.h"

#define NS_2021 INT64_C(1614173830000000000)

static struct frames f;
static struct tags tags;
static struct metrics metrics;
static struct point p;

static void
begin(void)
{
	frames_release(&f);
}

/* Learn the line head + time + middle + value + tail, as its parser would. */
static void
learn(const char *head, const char *name, const char *tail,
    const char *tags_text)
{
	char *text = xasprintf("%s2021-02-24T13:37:10Z%s1%s", head,
	    FRAME_MIDDLE, tail);
	struct span line = span_of(text);
	const char *time = text + strlen(head);
	const char *value = strstr(text, "e\":1") + 3;
	struct frame_parts parts = { .line = line,
	    .metric_text = span_of(name), .time = { time, 20 },
	    .value = { value, 1 },
	    .tags_text = span_of(tags_text),
	    .metric = metrics_get(&metrics, span_of(name)),
	    .tags = tags_intern(&tags, &(struct tag){ SPAN("t"),
	    span_of(tags_text) }, 1) };

	frames_learn(&f, &parts);
	free(text);
}

static size_t
match(const char *head, const char *time, const char *value, const char *tail)
{
	static char text[512];

	(void)snprintf(text, sizeof(text), "%s%s%s%s%s\n", head, time,
	    FRAME_MIDDLE, value, tail);
	return frames_match(&f, span_of(text), &p);
}

#define HEAD(name) "{\"metric\":\"" name "\",\"type\":\"Point\"," \
	"\"data\":{\"time\":\""
#define OLD_HEAD "{\"type\":\"Point\",\"data\":{\"time\":\""
#define T "2021-02-24T13:37:10Z"

/* A head of one line and a tail of another make a line that was not seen. */
static void
halves(void)
{
	begin();
	learn(HEAD("a"), "a", ",\"tags\":{}}}", "{}");
	learn(HEAD("b"), "b", ",\"tags\":{\"x\":\"y\"}}}", "{\"x\":\"y\"}");
	CHECK(match(HEAD("a"), T, "1.5", ",\"tags\":{\"x\":\"y\"}}}") != 0);
	CHECK_SPAN(p.metric->name, "a");
	CHECK(p.value == 1.5 && p.time_ns == NS_2021 && p.time_n == 20);
	CHECK_SPAN(tagset_find(p.tags, "t")->value, "{\"x\":\"y\"}");
	CHECK(match(HEAD("b"), T, "2", ",\"tags\":{}}}") != 0);
	CHECK(match(HEAD("c"), T, "2", ",\"tags\":{}}}") == 0);
	CHECK(match(HEAD("a"), T, "2", ",\"tags\":null}}") == 0);
	CHECK(match(HEAD("a"), T, "02", ",\"tags\":{}}}") == 0);
	CHECK(match(HEAD("a"), "yesterday", "2", ",\"tags\":{}}}") == 0);
	CHECK(match(HEAD("a"), T, "2", ",\"tags\":{}}} ") == 0);
}

/* The metric stands in the head or in the tail, never in both or neither. */
static void
forms(void)
{
	begin();
	learn(OLD_HEAD, "a", ",\"tags\":{}},\"metric\":\"a\"}", "{}");
	learn(HEAD("b"), "b", ",\"tags\":{}}}", "{}");
	CHECK(match(OLD_HEAD, T, "1", ",\"tags\":{}},\"metric\":\"a\"}") != 0);
	CHECK_SPAN(p.metric->name, "a");
	CHECK(match(HEAD("b"), T, "1", ",\"tags\":{}},\"metric\":\"a\"}") == 0);
	CHECK(match(OLD_HEAD, T, "1", ",\"tags\":{}}}") == 0);
}

/* Other bytes could mean something else, and are not learned. */
static void
not_framed(void)
{
	begin();
	learn("{ \"metric\":\"a\",\"type\":\"Point\",\"data\":{\"time\":\"",
	    "a", ",\"tags\":{}}}", "{}");
	learn(HEAD("a"), "a", ",\"tags\":{},\"time\":\"x\"}}", "{}");
	learn(HEAD("a"), "a", ",\"tags\":{}},\"type\":\"End\"}", "{}");
	learn("{\"time\":\"\",\"metric\":\"a\",\"type\":\"Point\",\"data\":{"
	    "\"time\":\"", "a", ",\"tags\":{}}}", "{}");
	CHECK(f.heads.n == 0 && f.tails.n == 0);
}

static void
limits(void)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	char head[100];
	int i;

	begin();
	for (i = 0; i < 4; i++) {
		(void)snprintf(head, sizeof(head), HEAD("%s"), names[i]);
		learn(head, names[i], ",\"tags\":{}}}", "{}");
		CHECK((match(head, T, "1", ",\"tags\":{}}}") != 0) ==
		    (i < HEADS_MAX));
	}
}

/* Each form of a time, after each other one, means what it means alone. */
static void
times(void)
{
	static const char *const rows[] = { T, "2021-02-24T13:37:10.5Z",
		"2021-02-24T13:37:59.999999999Z", "2021-02-24T13:38:00Z",
		"2021-02-24T13:37:10+00:00", "2021-02-24T13:37:10.25-01:30",
		"2021-02-24T13:37:60Z", "2021-02-24T13:37:1Z",
		"2021-02-24T13:37:10.Z", "2021-02-24T13:37:10.0000000001Z",
		"2021-02-30T13:37:10Z", "2021-02-24T13:37:1xZ",
		"2021-02-24T13:37:10.1x", "2021-02-24T13:37:", "",
		"2021-02-24T24:00:00Z", "9999-12-31T23:59:59Z",
		"2021-02-24T13:37:10.123456789123Z" };
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	int64_t want;
	int a, b, i;
	bool is_time;

	begin();
	learn(HEAD("a"), "a", ",\"tags\":{}}}", "{}");
	for (a = 0; a < ROWS; a++)
		for (b = 0; b < ROWS; b++)
			for (i = 0; i < 2; i++) {
				(void)match(HEAD("a"), rows[a], "1",
				    ",\"tags\":{}}}");
				is_time = time_parse(span_of(rows[b]), &want);
				if ((match(HEAD("a"), rows[b], "1",
				    ",\"tags\":{}}}") != 0) != is_time ||
				    (is_time && p.time_ns != want))
					CHECK_TEXT(rows[b], rows[a]);
			}
	CHECK(true);
}

static void
held(void)
{
	struct tail *t;

	begin();
	learn(HEAD("a"), "a", ",\"tags\":{}}}", "{}");
	CHECK(match(HEAD("a"), T, "1", ",\"tags\":{}}}") != 0);
	t = tail_hold(p.tail);
	frames_forget_tails(&f);
	tags_release(&tags);
	CHECK(match(HEAD("a"), T, "1", ",\"tags\":{}}}") == 0);
	CHECK_SPAN(t->text, ",\"tags\":{}}}");
	CHECK_SPAN(t->tags->json, "{\"t\":\"{}\"}");
	tail_drop(t);
}

int
main(void)
{
	test("any head goes with any tail", halves);
	test("old and new forms are not mixed", forms);
	test("lines in another form are not learned", not_framed);
	test("past the limit of heads, lines go the general way", limits);
	test("a time means the same whatever came before it", times);
	test("a tail that is held outlives its frames", held);
	frames_release(&f);
	tags_release(&tags);
	metrics_release(&metrics);
	return tap_end();
}
