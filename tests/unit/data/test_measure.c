/* SPDX-License-Identifier: MIT */
/* Figures of a run. */
#include "data/measure.c"

#include "tap.h"

static const struct measure *
named(const char *name)
{
	size_t i;

	for (i = 0; i < MEASURES; i++)
		if (strcmp(measures[i].name, name) == 0)
			return &measures[i];
	return NULL;
}

static void
adds_rows(void)
{
	struct figures f;
	struct sink counter = { .type = METRIC_COUNTER };
	struct sink rate = { .type = METRIC_RATE };
	struct sink trend = { .type = METRIC_TREND };
	const struct {
		struct span metric;
		const struct sink *sink;
	} rows[] = {
		{ SPAN("http_reqs"), &counter },
		{ SPAN("iterations"), &counter },
		{ SPAN("http_req_failed"), &rate }, { SPAN("checks"), &rate },
		{ SPAN("http_req_duration"), &trend },
		{ SPAN("mine"), &trend },
	};
	size_t i;

	figures_init(&f);
	f.seconds = 2;
	CHECK(isnan(named("failed")->of(&f)) && isnan(named("med")->of(&f)));
	CHECK(isnan(named("failed checks")->of(&f)));
	sink_add(&counter, 4, 1);
	sink_add(&rate, 1, 1);
	sink_add(&rate, 0, 1);
	sink_add(&rate, 0, 1);
	sink_add(&rate, 0, 1);
	sink_add(&trend, 10, 1);
	sink_add(&trend, 30, 1);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		measure_add(&f, rows[i].metric, rows[i].sink);
	CHECK(named("requests")->of(&f) == 4);
	CHECK(named("requests/s")->of(&f) == 2);
	CHECK(named("iterations/s")->of(&f) == 2);
	CHECK(named("failed")->of(&f) == 0.25);
	CHECK(named("failed checks")->of(&f) == 0.75);
	CHECK(named("avg")->of(&f) == 20 && named("max")->of(&f) == 30);
	/* Expected answers have their own, where they are known. */
	CHECK(isnan(named("p95, expected")->of(&f)));
	sink_add(&f.expected, 30, 1);
	CHECK(named("p95, expected")->of(&f) == 30);
	/* Not known is not 0. */
	f.seconds = 0;
	CHECK(isnan(named("requests/s")->of(&f)));
	f.failed.count = 0;
	f.failed_by_status = 1;
	CHECK(named("failed")->of(&f) == 0.25);
	f.failed_by_status = (double)NAN;
	CHECK(isnan(named("failed")->of(&f)));
	sink_release(&trend);
	figures_release(&f);
}

static void
has_courses(void)
{
	struct figures f;

	figures_init(&f);
	CHECK(measure_course(&f, SPAN("http_req_duration")) ==
	    &f.course[COURSE_DURATION]);
	CHECK(f.course[COURSE_DURATION].type == METRIC_TREND);
	CHECK(measure_course(&f, SPAN("checks"))->type == METRIC_RATE);
	CHECK(measure_course(&f, SPAN("http_req_waiting")) == NULL);
	CHECK(measure_change(50, 75) == 0.5 && isnan(measure_change(0, 1)));
	figures_release(&f);
}

int
main(void)
{
	test("rows of a run become its figures", adds_rows);
	test("the metrics that are judged have a course", has_courses);
	return tap_end();
}
