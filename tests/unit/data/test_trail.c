/* SPDX-License-Identifier: MIT */
#include "data/trail.c"

#include "random.h"
#include "tap.h"

static const struct tagset tags_a = { .json = SPAN("{}") };
static const struct tagset tags_b = { .json = SPAN("{\"a\":\"\"}") };
static struct metric metrics[16];

static const struct metric *
metric_named(const char *name)
{
	size_t i;

	for (i = 0; metrics[i].name.p != NULL; i++)
		if (span_is(metrics[i].name, name))
			return &metrics[i];
	metrics[i].name = span_of(name);
	return &metrics[i];
}

/* Each group as text: kind, number of points, and the lines. */
static char out[8192];
static struct group_out last;

static void
note(void *ctx, const struct group_out *g)
{
	static const char kinds[] = "-PTN";
	static struct buf scratch;
	struct span lines = group_lines(g, &scratch);
	size_t n = strlen(out);
	int i;

	CHECK(ctx == &last);
	last = *g;
	for (i = 0; i < g->n; i++)
		CHECK(g->points[i].line.p[g->points[i].line.n] == '\n');
	(void)snprintf(out + n, sizeof(out) - n, "%c%d[%.*s]",
	    kinds[g->kind], g->n, (int)lines.n, lines.p);
	for (i = 0; out[i] != '\0'; i++)
		if (out[i] == '\n')
			out[i] = ' ';
}

static struct trails t;
static struct point at = { .tags = &tags_a, .time_ns = 1000 };

static void
add(const char *name, double value, const char *line)
{
	struct point p = at;
	char copy[64];		/* dies soon, as a line does */

	p.metric = metric_named(name);
	p.value = value;
	p.line = (struct span){ copy, strlen(line) };
	(void)snprintf(copy, sizeof(copy), "%s\n", line);
	trails_add(&t, &p, note, &last);
	trails_settle(&t);
	memset(copy, '#', sizeof(copy));
}

/* http_reqs and the first n timings: 1 ms, 2 ms ... */
static void
add_request(int n, const char *line)
{
	int i;

	add("http_reqs", 1, line);
	for (i = 0; i < n; i++)
		add(timing_names[i], i + 1, "t");
}

static void
begin(void)
{
	trails_release(&t);
	at = (struct point){ .tags = &tags_a, .time_ns = 1000 };
	out[0] = '\0';
}

static void
whole(void)
{
	int i;

	begin();
	add_request(TIMINGS, "r");
	CHECK_TEXT(out, "");
	add("http_req_failed", 1, "f");
	CHECK_TEXT(out, "T9[r t t t t t t t f ]");
	CHECK(last.trail.failed == 1 && last.trail.time_ns == 1000);
	CHECK(last.trail.tags == &tags_a);
	for (i = 0; i < TIMINGS; i++)
		CHECK(last.trail.ns[i] == (i + 1) * 1000000);
	CHECK(trail_connection_ns(&last.trail) == (3 + 4) * 1000000);
	add_request(TIMINGS, "s");
	add("http_req_failed", 0, "f");
	CHECK(last.trail.failed == 0);
	trails_end(&t, note, &last);
	CHECK_TEXT(out, "T9[r t t t t t t t f ]T9[s t t t t t t t f ]");
}

static void
without_failed(void)
{
	begin();
	add_request(TIMINGS, "r");
	add("vus", 1, "v");
	CHECK_TEXT(out, "T8[r t t t t t t t ]P1[v ]");
	begin();
	add_request(TIMINGS, "r");
	add_request(TIMINGS, "s");
	trails_end(&t, note, &last);
	CHECK_TEXT(out, "T8[r t t t t t t t ]T8[s t t t t t t t ]");
	CHECK(last.trail.failed == -1);
	trails_end(&t, note, &last);
	CHECK_TEXT(out, "T8[r t t t t t t t ]T8[s t t t t t t t ]");
}

static void
broken(void)
{
	begin();
	add_request(3, "r");
	add("vus", 1, "v");
	CHECK_TEXT(out, "P4[r t t t ]P1[v ]");
	begin();
	add_request(3, "r");
	add(timing_names[4], 1, "x");	/* one is left out */
	CHECK_TEXT(out, "P4[r t t t ]P1[x ]");
	begin();
	add(timing_names[0], 1, "d");
	CHECK_TEXT(out, "P1[d ]");
	begin();
	add_request(3, "r");
	at.time_ns++;
	add(timing_names[3], 1, "x");
	CHECK_TEXT(out, "P4[r t t t ]P1[x ]");
	begin();
	add_request(3, "r");
	at.tags = &tags_b;
	add(timing_names[3], 1, "x");
	CHECK_TEXT(out, "P4[r t t t ]P1[x ]");
}

static void
no_place(void)
{
	static const double values[] = { 1e300, -1e300, 0x1p51 / 1e6 };
	size_t i;
	int k;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		begin();
		add("http_reqs", 1, "r");
		for (k = 0; k < TIMINGS; k++)
			add(timing_names[k], k == 2 ? values[i] : 1, "t");
		add("http_req_failed", 0, "f");
		CHECK_TEXT(out, "P9[r t t t t t t t f ]");
	}
}

static void
rounds(void)
{
	int i;

	begin();
	add("http_reqs", 1, "r");
	for (i = 0; i < TIMINGS; i++)
		add(timing_names[i], 0.282, "t");
	add("http_req_failed", 0.5, "f");
	CHECK(last.trail.ns[0] == 282000 && last.trail.failed == 1);
}

static void
nets(void)
{
	begin();
	add("data_sent", 10, "s");
	add("data_received", 20, "r");
	add("vus", 1, "v");
	CHECK_TEXT(out, "N2[s r ]P1[v ]");
	begin();
	add("data_sent", 10, "s");
	add("data_received", 20, "r");
	add("iteration_duration", 1.5, "d");
	trails_end(&t, note, &last);
	CHECK_TEXT(out, "N3[s r d ]");
	CHECK(last.net.n == 3 && last.net.value[NET_DATA_SENT] == 10);
	CHECK(last.net.value[NET_ITERATION_DURATION] == 1.5);
	begin();
	add("data_sent", 10, "s");
	add("data_received", 20, "r");
	add("iteration_duration", 1.5, "d");
	add("iterations", 1, "i");
	CHECK_TEXT(out, "N4[s r d i ]");
	CHECK(last.net.n == 4 && last.net.time_ns == 1000);
	add("iterations", 1, "i");
	CHECK_TEXT(out, "N4[s r d i ]P1[i ]");
	begin();
	add("data_sent", 10, "s");
	add("data_sent", 10, "s");
	add("data_received", 10, "r");
	trails_end(&t, note, &last);
	CHECK_TEXT(out, "P1[s ]N2[s r ]");
}

static void
between(void)
{
	begin();
	add_request(TIMINGS, "r");
	add("data_sent", 1, "s");
	add("data_received", 2, "d");
	add("checks", 1, "c");
	add_request(2, "q");
	trails_end(&t, note, &last);
	CHECK_TEXT(out, "T8[r t t t t t t t ]N2[s d ]P1[c ]P3[q t t ]");
}

/* A Metric line between two points of a request is no point: the reader does
 * not hand it in, and the request stays whole. */
static void
metric_lines(void)
{
	begin();
	add_request(TIMINGS, "r");
	(void)metric_named("my_metric");
	add("http_req_failed", 0, "f");
	CHECK_TEXT(out, "T9[r t t t t t t t f ]");
}

static void
metadata(void)
{
	begin();
	at.has_metadata = true;
	add("data_sent", 1, "s");
	at.has_metadata = false;
	add("data_received", 2, "d");
	trails_end(&t, note, &last);
	CHECK_TEXT(out, "N2[s d ]");
}

/* Points in random order, all one by one, then in batches, with lines that
 * move away and lines that stay: the same groups. */
static void
batches(void)
{
	enum { POINTS = 200 };
	static const char *const names[] = { "vus", "checks" };
	static char text[POINTS * 4 + 1], one_by_one[sizeof(out)];
	struct point points[POINTS];
	const char *name;
	int round, i, n, step = 0;

	for (round = 0; round < 300; round++) {
		begin();
		for (i = 0; i < POINTS; i++) {
			step = random_below(20) == 0 ? 0 : step % 15 + 1;
			name = step == 0 ? names[i % 2] : step == 1
			    ? "http_reqs" : step <= 1 + TIMINGS
			    ? timing_names[step - 2] : step == 9
			    ? "http_req_failed" : net_names[(step - 10) % 4];
			points[i] = at;
			points[i].metric = metric_named(name);
			points[i].value = 1;
			points[i].line = (struct span){ text + 4 * i, 3 };
			(void)snprintf(text + 4 * i, 5, "%03u\n",
			    (unsigned)i % 1000);
			at.time_ns += random_below(30) == 0;
		}
		for (i = 0; i < POINTS; i++)
			trails_add(&t, &points[i], note, &last);
		trails_end(&t, note, &last);
		memcpy(one_by_one, out, sizeof(out));
		out[0] = '\0';
		for (i = 0; i < POINTS; i += n) {
			n = 1 + (int)random_below(40);
			n = n < POINTS - i ? n : POINTS - i;
			trails_add_all(&t, points + i, n, note, &last);
			if (random_below(2) == 0)
				trails_settle(&t);
		}
		trails_end(&t, note, &last);
		if (strcmp(out, one_by_one) != 0) {
			CHECK_TEXT(out, one_by_one);
			return;
		}
	}
}

int
main(void)
{
	test("points in batches make the groups that they make alone",
	    batches);
	test("nine points in k6's order are one request", whole);
	test("a request without http_req_failed has eight", without_failed);
	test("what is not in k6's order stays points", broken);
	test("a time out of range makes no request", no_place);
	test("milliseconds become the nanoseconds they were", rounds);
	test("net trails have 2, 3 or 4 values", nets);
	test("groups follow each other without a gap", between);
	test("a Metric line does not break a request", metric_lines);
	test("metadata does not break a group", metadata);
	trails_release(&t);
	return tap_end();
}
