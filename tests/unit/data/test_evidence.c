/* SPDX-License-Identifier: MIT */
/* How sure a difference is. */
#include "data/evidence.c"

#include "tap.h"

#define S 1000000000LL

static uint64_t state;

static double
uniform(void)
{
	return ((double)(next_number(&state) >> 11) + 0.5) / 0x1p53;
}

static double
normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

static bool
near(double a, double b, double share)
{
	return fabs(a - b) <= share * fabs(b);
}

static const struct statistic p95 = { STATISTIC_QUANTILE, 0.95 };
static const struct statistic rate = { STATISTIC_RATE, 0 };
static const struct statistic share = { STATISTIC_SHARE, 0 };

/* A run of so many seconds, whose level changes slowly by noise. */
static double
make(struct course *c, int seconds, double factor, double noise)
{
	struct sink all = { .type = METRIC_TREND };
	double ar = 0, value;
	int i, k;

	*c = (struct course){ .type = METRIC_TREND };
	for (i = 0; i < seconds; i++) {
		ar = 0.8 * ar + 0.6 * noise * normal();
		for (k = 0; k < 50; k++) {
			value = 100 * factor * exp(ar + 0.3 * normal());
			sink_add(course_at(c, i * S, 0), value, i * S);
			sink_add(&all, value, i * S);
		}
	}
	value = sink_quantile(&all, 0.95);
	sink_release(&all);
	return value;
}

static void
knows_student(void)
{
	/* values of a printed table */
	CHECK(near(evidence_student(2.228, 10), 0.05, 0.001));
	CHECK(near(evidence_student(-4.587, 10), 0.001, 0.001));
	CHECK(near(evidence_student(12.706, 1), 0.05, 0.001));
	CHECK(near(evidence_student(1.96, 1e9), 0.05, 0.001));
	CHECK(near(evidence_student(0.1, 5), 0.9242, 0.001));
	CHECK(evidence_student(0, 5) == 1);
	CHECK(evidence_student(INFINITY, 5) == 0);
}

static void
adjusts(void)
{
	double a = 0.01, b = 0.04, c = 0.03, many = 0.5;
	double *const p[] = { &a, &b, &c, &many };

	/* Holm's rule by hand */
	evidence_adjust(p, 4, 4);
	CHECK(near(a, 0.04, 1e-9) && near(c, 0.09, 1e-9) &&
	    near(b, 0.09, 1e-9) && near(many, 0.5, 1e-9));
	a = 0.01;
	evidence_adjust(p, 1, 200);
	CHECK(a == 1);
	evidence_adjust(NULL, 0, 0);
}

/* The chance of a change, made of two runs with factor between them. */
static struct evidence
chance(double factor, double noise)
{
	struct course a, b;
	struct evidence_run base = { &a, make(&a, 240, 1, noise), 0 };
	struct evidence_of of = { p95, &base, 1, { &b, make(&b, 240, factor,
	    noise), 0 } };
	struct evidence e = evidence_find(&of);

	course_release(&a);
	course_release(&b);
	return e;
}

static void
tells_changes_from_noise(void)
{
	int i, alarms = 0, found = 0, covered = 0;
	struct evidence e;

	state = 7;
	for (i = 0; i < 60; i++) {
		e = chance(1, 0.05);
		CHECK(e.is_known);
		alarms += e.p < 0.02;
		covered += e.low < 0 && e.high > 0;
		e = chance(1.15, 0.05);
		found += e.p < 0.02;
	}
	/* slots of one run are not independent: 60 equal pairs would be
	 * told apart many times if they were taken for it */
	CHECK(alarms <= 3);
	CHECK(covered >= 52);
	CHECK(found >= 57);
}

static void
needs_data(void)
{
	struct course a = { .type = METRIC_TREND }, b;
	struct evidence_run base = { &a, 100, 0 };
	struct evidence_of of = { p95, &base, 1, { &b, 150, 0 } };
	int i;

	for (i = 0; i < 9; i++)
		sink_add(course_at(&a, i * S, 0), 100, 0);
	make(&b, 60, 1, 0.01);
	CHECK(!evidence_suffices(&a, rate) && !evidence_suffices(&a, p95));
	CHECK(!evidence_find(&of).is_known && isnan(evidence_find(&of).p));
	sink_add(course_at(&a, 9 * S, 0), 100, 0);
	CHECK(evidence_suffices(&a, rate) && !evidence_suffices(&a, p95));
	for (i = 0; i < 90; i++)
		sink_add(course_at(&a, 9 * S, 0), 100, 0);
	CHECK(evidence_suffices(&a, p95));
	CHECK(evidence_find(&of).is_known && evidence_find(&of).p < 1e-4);
	course_release(&a);
	course_release(&b);
}

/* A share is found without a course, too, and is not when it is small. */
static void
finds_shares(void)
{
	struct course none = { .type = METRIC_RATE };
	struct evidence_run base = { &none, 0, 100 };
	struct evidence_of of = { share, &base, 1, { &none, 0.4, 100 } };

	CHECK(evidence_find(&of).is_known && evidence_find(&of).p < 1e-6);
	CHECK(evidence_find(&of).low > 0.2 && evidence_find(&of).high < 0.6);
	of.run.value = 0.02;
	CHECK(evidence_find(&of).p > 0.1);
	of.run.value = 0;
	CHECK(evidence_find(&of).p == 1);
	of.run.count = 0;
	CHECK(evidence_find(&of).p == 1);
}

/* Failures that come in one burst are less sure than as many all over. */
static void
sees_bursts(void)
{
	struct course a = { .type = METRIC_RATE };
	struct course all_over = a, burst = a;
	struct evidence_run base = { &a, 0, 6000 };
	struct evidence_of of = { share, &base, 1, { &all_over, 0.02, 6000 } };
	double p;
	int i, k;

	for (i = 0; i < 60; i++)
		for (k = 0; k < 100; k++) {
			sink_add(course_at(&a, i * S, 0), 0, 0);
			sink_add(course_at(&all_over, i * S, 0), k < 2, 0);
			sink_add(course_at(&burst, i * S, 0), i == 30 || (i ==
			    31 && k < 20), 0);
		}
	p = evidence_find(&of).p;
	CHECK(p < 1e-6);
	of.run.course = &burst;
	CHECK(evidence_find(&of).p > 0.05);
	course_release(&a);
	course_release(&all_over);
	course_release(&burst);
}

/* Runs that differ more than their own courses tell show that in a baseline. */
static void
learns_from_a_baseline(void)
{
	static const double levels[] = { 1, 1.06, 0.95, 1.02, 0.97, 1.05 };
	struct course courses[6], run;
	struct evidence_run base[6];
	struct evidence_of of = { p95, base, 6, { &run, 0, 0 } };
	struct evidence alone, with;
	size_t i;

	state = 3;
	for (i = 0; i < 6; i++)
		base[i] = (struct evidence_run){ &courses[i], make(&courses[i],
		    240, levels[i], 0.005), 0 };
	of.run.value = make(&run, 240, 1.08, 0.005);
	with = evidence_find(&of);
	of.n_base = 1;
	alone = evidence_find(&of);
	CHECK(alone.p < 0.001 && with.p > 0.02);
	CHECK(with.low < 0 && alone.low > 0);
	for (i = 0; i < 6; i++)
		course_release(&courses[i]);
	course_release(&run);
}

/* What both runs have, a ramp, is not noise. */
static void
draws_both_alike(void)
{
	struct course a = { .type = METRIC_TREND }, b = a;
	struct sink all[2] = { { .type = METRIC_TREND },
	    { .type = METRIC_TREND } };
	struct evidence_run base = { .course = &a };
	struct evidence_of of = { p95, &base, 1, { .course = &b } };
	double value;
	int i, k;

	state = 5;
	for (i = 0; i < 120; i++)
		for (k = 0; k < 40; k++) {
			value = (50 + i) * exp(0.1 * normal());
			sink_add(course_at(&a, i * S, 0), value, 0);
			sink_add(&all[0], value, 0);
			value = 1.08 * (50 + i) * exp(0.1 * normal());
			sink_add(course_at(&b, i * S, 0), value, 0);
			sink_add(&all[1], value, 0);
		}
	base.value = sink_quantile(&all[0], 0.95);
	of.run.value = sink_quantile(&all[1], 0.95);
	CHECK(evidence_find(&of).p < 0.002);
	/* and the same again gives the same */
	CHECK(evidence_find(&of).p == evidence_find(&of).p);
	course_release(&a);
	course_release(&b);
	sink_release(&all[0]);
	sink_release(&all[1]);
}

int
main(void)
{
	test("Student's t is that of the tables", knows_student);
	test("many questions make each answer less sure", adjusts);
	test("a change is told from slow noise", tells_changes_from_noise);
	test("too little data is told", needs_data);
	test("a share is found by its counts", finds_shares);
	test("a burst of failures is less sure than failures all over",
	    sees_bursts);
	test("a baseline tells how far equal runs differ",
	    learns_from_a_baseline);
	test("what both runs have is no noise", draws_both_alike);
	return tap_end();
}
