/* SPDX-License-Identifier: MIT */
/* What counts as better and worse. */
#include "data/compare.c"

#include "tap.h"

#define S 1000000000LL

/* A run of 60 s: so many requests of that time each second, and each that
 * many-th fails. */
static void
make(struct figures *f, int rate, double ms, int fails)
{
	int i, k;

	figures_init(f);
	f->seconds = 60;
	for (i = 0; i < 60 * rate; i++) {
		struct sink reqs = { .type = METRIC_COUNTER };
		struct sink failed = { .type = METRIC_RATE };
		struct sink took = { .type = METRIC_TREND };
		const struct sink *const sinks[] = { &reqs, &failed, &took };
		static const char *const names[] = { "http_reqs",
			"http_req_failed", "http_req_duration" };

		sink_add(&reqs, 1, 0);
		sink_add(&failed, fails != 0 && i % fails == 0, 0);
		sink_add(&took, ms * (1 + 0.01 * (i % 7)), 0);
		for (k = 0; k < 3; k++) {
			measure_add(f, span_of(names[k]), sinks[k]);
			sink_merge(course_at(measure_course(f,
			    span_of(names[k])), i / rate * S, 0), sinks[k]);
		}
		sink_release(&took);
	}
}

static struct comparison
compared(const struct figures *a, const struct figures *b, double min_effect)
{
	struct comparison c = { .base = a, .n_base = 1, .run = b,
	    .min_effect = min_effect };

	compare_figures(&c);
	compare_conclude(&c);
	return c;
}

static void
judges_figures(void)
{
	struct figures a, b;
	struct comparison c;

	make(&a, 10, 100, 0);
	make(&b, 9, 120, 0);
	c = compared(&a, &b, 0.05);
	CHECK(c.changes[MEASURE_P95].verdict == CHANGE_WORSE);
	CHECK(c.changes[MEASURE_P95].evidence.p < 0.001);
	CHECK(c.changes[MEASURE_P95].evidence.low > 0.1);
	CHECK(c.changes[MEASURE_RATE].verdict == CHANGE_WORSE);
	CHECK(c.changes[MEASURE_FAILED].verdict == CHANGE_SAME);
	/* not judged */
	CHECK(c.changes[MEASURE_AVG].verdict == CHANGE_SAME);
	/* 540 requests are just enough for p99: five are beyond */
	CHECK(c.changes[MEASURE_P99].verdict == CHANGE_WORSE);
	CHECK(c.worse == 5 && c.better == 0 && c.unknown == 0);
	c = compared(&a, &b, 0.3);
	CHECK(c.worse == 0 && c.better == 0);
	c = compared(&b, &a, 0.05);
	CHECK(c.worse == 0 && c.better == 5);
	c = compared(&a, &a, 0);
	CHECK(c.worse == 0 && c.better == 0 && c.unknown == 0);
	figures_release(&a);
	figures_release(&b);
}

/* Errors are quick: that makes no run better. */
static void
weighs_failures(void)
{
	struct figures a, b;
	struct comparison c;

	make(&a, 10, 100, 0);
	make(&b, 10, 50, 2);
	c = compared(&a, &b, 0.05);
	CHECK(c.changes[MEASURE_FAILED].verdict == CHANGE_WORSE);
	CHECK(c.changes[MEASURE_P95].verdict == CHANGE_SAME);
	CHECK(c.worse == 1 && c.better == 0);
	figures_release(&a);
	figures_release(&b);
}

/* A share cannot fall by more than it is, and no answer takes no time. */
static void
keeps_to_what_can_be(void)
{
	struct figures a, b;
	struct comparison c;
	const struct evidence *e = &c.changes[MEASURE_FAILED].evidence;

	make(&a, 10, 0, 1);
	make(&b, 10, 100, 0);
	c = compared(&a, &b, 0.05);
	CHECK(e->is_known && e->low == -1 && e->high < -0.9);
	CHECK(isnan(c.changes[MEASURE_P95].value[0]) &&
	    c.changes[MEASURE_P95].verdict == CHANGE_SAME);
	c = compared(&b, &a, 0.05);
	CHECK(e->is_known && e->low > 0.9 && e->high == 1);
	CHECK(c.changes[MEASURE_P95].is_missing);
	figures_release(&a);
	figures_release(&b);
}

static void
tells_too_little(void)
{
	struct figures a, b;
	struct comparison c;
	struct buf out = { 0 };
	int i;

	make(&a, 10, 100, 0);
	make(&b, 10, 300, 2);
	for (i = 0; i < COURSES; i++) {
		course_release(&a.course[i]);
		course_release(&b.course[i]);
	}
	b.has_crossed = true;
	c = compared(&a, &b, 0.05);
	CHECK(c.changes[MEASURE_P95].verdict == CHANGE_UNKNOWN);
	CHECK(c.changes[MEASURE_RATE].verdict == CHANGE_UNKNOWN);
	/* counts are what they are */
	CHECK(c.changes[MEASURE_FAILED].verdict == CHANGE_WORSE);
	CHECK(c.changes[MEASURE_CROSSED].verdict == CHANGE_WORSE);
	CHECK(c.worse == 2 && c.unknown == 5);
	compare_print(&c, &out);
	CHECK(strstr(out.p, " too little data to tell\n") != NULL);
	CHECK(strstr(out.p, "crossed thresholds            0            1"
	    "            worse\n") != NULL);
	CHECK(strstr(out.p, "worse by at least 5 %: 2; too little data to "
	    "tell: 5\n") != NULL);
	/* as many as are known by name */
	figures_cross(&b, SPAN("http_reqs"), SPAN("rate>9"));
	figures_cross(&b, SPAN("a\tb"), SPAN("avg<1"));
	c = compared(&a, &b, 0.05);
	buf_reset(&out);
	compare_print(&c, &out);
	CHECK(strstr(out.p, "crossed thresholds            0            2"
	    "            worse\n  B: http_reqs rate>9\n  B: a\\tb avg<1\n")
	    != NULL);
	buf_release(&out);
	figures_release(&a);
	figures_release(&b);
}

static void
judges_names(void)
{
	struct figures a, b;
	struct comparison c;
	const double many[] = { 600, 600 }, few[] = { 600, 99 };
	const double p95[] = { 106, 212 }, same[] = { 106, 107 };
	const struct course *courses[2];
	struct buf out = { 0 };
	size_t at;

	make(&a, 10, 100, 0);
	make(&b, 10, 200, 0);
	courses[0] = &a.course[COURSE_DURATION];
	courses[1] = &b.course[COURSE_DURATION];
	c = (struct comparison){ .base = &a, .n_base = 1, .run = &a,
	    .min_effect = 0.05 };
	compare_figures(&c);
	at = compare_add_name(&c, &(struct name_of_runs){ "/few", "GET", few,
	    p95 });
	CHECK(!compare_asks(&c, at));
	at = compare_add_name(&c, &(struct name_of_runs){ "/same", "GET",
	    many, same });
	CHECK(!compare_asks(&c, at));
	at = compare_add_name(&c, &(struct name_of_runs){ "/\x1b", "GET",
	    many, p95 });
	CHECK(compare_asks(&c, at));
	compare_name(&c, at, p95, courses);
	compare_conclude(&c);
	CHECK(c.worse == 1 && c.names[0].p95.verdict == CHANGE_WORSE);
	CHECK(strcmp(c.names[1].name, "/same") == 0);
	compare_print(&c, &out);
	CHECK(strstr(out.p, "GET /\\u001b\n  p95 ") != NULL);
	CHECK(strstr(out.p, "/same") == NULL);
	buf_release(&out);
	compare_release(&c);
	figures_release(&a);
	figures_release(&b);
}

static void
takes_a_baseline(void)
{
	struct figures f[4];
	struct comparison c = { .base = f, .n_base = 3, .run = &f[3],
	    .min_effect = 0.05 };
	int i;

	for (i = 0; i < 4; i++)
		make(&f[i], 10, i == 3 ? 130 : 100 + i, 0);
	compare_figures(&c);
	compare_conclude(&c);
	CHECK(fabs(c.changes[MEASURE_MED].value[0] - 104) < 1.5);
	CHECK(c.changes[MEASURE_REQUESTS].value[0] == 600);
	CHECK(c.changes[MEASURE_P95].verdict == CHANGE_WORSE);
	for (i = 0; i < 4; i++)
		figures_release(&f[i]);
}

static void
takes_percentages(void)
{
	static const char *const bad[] = { "", "%", "x", "5%%", "-1", "1001",
		"5 %", "nan" };
	struct why why;
	double share = 7;
	size_t i;

	CHECK(compare_set_effect(&share, NULL, "5%", &why) == 0 &&
	    fabs(share - 0.05) < 1e-12);
	CHECK(compare_set_effect(&share, NULL, "12.5", &why) == 0 &&
	    fabs(share - 0.125) < 1e-12);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(compare_set_effect(&share, NULL, bad[i], &why) < 0);
}

int
main(void)
{
	test("a change is judged by its size and by the data",
	    judges_figures);
	test("quick errors make no run better", weighs_failures);
	test("shares end at 0 and 1; no answer has no time",
	    keeps_to_what_can_be);
	test("too little data is neither better nor worse", tells_too_little);
	test("requests of a name are judged, if there are enough",
	    judges_names);
	test("a run is measured by several", takes_a_baseline);
	test("a percentage is read", takes_percentages);
	return tap_end();
}
