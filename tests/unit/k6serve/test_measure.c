/* SPDX-License-Identifier: MIT */
/* Figures of a run, and what counts as worse. */
#include "k6serve/view/measure.c"

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
	struct figures f = { .seconds = 2, .duration.type = METRIC_TREND };
	struct sink counter = { .type = METRIC_COUNTER };
	struct sink rate = { .type = METRIC_RATE };
	struct sink trend = { .type = METRIC_TREND };
	const struct store_row rows[] = {
		{ .metric = SPAN("http_reqs"), .sink = &counter },
		{ .metric = SPAN("iterations"), .sink = &counter },
		{ .metric = SPAN("http_req_failed"), .sink = &rate },
		{ .metric = SPAN("checks"), .sink = &rate },
		{ .metric = SPAN("http_req_duration"), .sink = &trend },
		{ .metric = SPAN("mine"), .sink = &trend },
	};
	size_t i;

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
		CHECK(measure_add(&f, &rows[i]) == 0);
	CHECK(named("requests")->of(&f) == 4);
	CHECK(named("requests/s")->of(&f) == 2);
	CHECK(named("iterations/s")->of(&f) == 2);
	CHECK(named("failed")->of(&f) == 0.25);
	CHECK(named("failed checks")->of(&f) == 0.75);
	CHECK(named("avg")->of(&f) == 20 && named("max")->of(&f) == 30);
	sink_release(&trend);
	sink_release(&f.duration);
}

static void
judges(void)
{
	const struct measure *p95 = named("p95");
	const struct measure *failed = named("failed");

	/* a time: by its share, and by 0.1 ms */
	CHECK(measure_judge(p95, 100, 111, 0.1) == WORSE);
	CHECK(measure_judge(p95, 100, 109, 0.1) == SAME);
	CHECK(measure_judge(p95, 100, 89, 0.1) == BETTER);
	CHECK(measure_judge(p95, 0.1, 0.19, 0.1) == SAME);
	CHECK(measure_judge(p95, 0.1, 0.3, 0.1) == WORSE);
	/* a share: by one percentage point, whatever the bound */
	CHECK(measure_judge(failed, 0, 0.009, 0) == SAME);
	CHECK(measure_judge(failed, 0, 0.011, 0.5) == WORSE);
	CHECK(measure_judge(named("requests/s"), 100, 80, 0.1) == WORSE);
	CHECK(measure_judge(named("requests/s"), 100, 120, 0.1) == BETTER);
	CHECK(measure_judge(named("crossed thresholds"), 0, 1, 9) == WORSE);
	/* those that are not judged, and figures that are not there */
	CHECK(measure_judge(named("max"), 1, 1000, 0.1) == SAME);
	CHECK(measure_judge(p95, NAN, 5, 0.1) == SAME);
	CHECK(measure_judge(p95, 5, NAN, 0.1) == SAME);
	CHECK(measure_change(50, 75) == 0.5 && isnan(measure_change(0, 1)));
}

int
main(void)
{
	test("rows of a run become its figures", adds_rows);
	test("a change is judged by its unit, sign and bound", judges);
	return tap_end();
}
