/* SPDX-License-Identifier: MIT */
/* Figures of a run, and what counts as worse. */
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
	struct figures f = { .seconds = 2, .duration.type = METRIC_TREND };
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
	f.expected.type = METRIC_TREND;
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
	measure_release(&f);
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

/* Errors are quick: that makes no run better. */
static void
weighs_failures(void)
{
	struct figures f[2] = { { .reqs = 10, .seconds = 1,
	    .duration.type = METRIC_TREND }, { .reqs = 10, .seconds = 1,
	    .duration.type = METRIC_TREND } };

	sink_add(&f[0].duration, 100, 1);
	sink_add(&f[1].duration, 1, 1);
	CHECK(measure_verdict_of(named("p95"), &f[0], &f[1], 0.1) == BETTER);
	f[1].failed_by_status = 5;
	CHECK(measure_verdict_of(named("p95"), &f[0], &f[1], 0.1) == SAME);
	CHECK(measure_worse(f, 0.1) == 1);
	measure_release(&f[0]);
	measure_release(&f[1]);
}

static void
prints(void)
{
	struct figures f[2] = { { .reqs = 10, .seconds = 2 },
	    { .reqs = 10, .seconds = 4, .result_status = 1 } };
	const double few[2] = { 99, 100 }, many[2] = { 100, 100 };
	const double p95[2] = { 10, 20 };
	struct buf out = { 0 };

	CHECK(measure_worse(f, 0.1) == 2);
	measure_print(&out, f, 0.1);
	CHECK(strstr(out.p, "requests/s                   5.00/s         2.50/s"
	    "    -50.0 %  worse\n") != NULL);
	CHECK(strstr(out.p, "p95                               -              -"
	    "           \n") != NULL);
	buf_reset(&out);
	measure_print_end(&out, 2, 0.1);
	CHECK_SPAN(buf_whole(&out), "worse by more than 10 %: 2\n");
	CHECK(measure_judge_url(few, p95, 0.1) == SAME);
	CHECK(measure_judge_url(many, p95, 0.1) == WORSE);
	buf_release(&out);
}

int
main(void)
{
	test("rows of a run become its figures", adds_rows);
	test("a change is judged by its unit, sign and bound", judges);
	test("quick errors make no run better", weighs_failures);
	test("two runs are shown side by side", prints);
	return tap_end();
}
