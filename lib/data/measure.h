/* SPDX-License-Identifier: MIT */
/*
 * measure: the figures by which two runs are compared. k6serve reads them from
 * what it stores, k6agg from a stream; data/compare.h compares them.
 */
#ifndef K6PIPE_DATA_MEASURE_H
#define K6PIPE_DATA_MEASURE_H

#include "data/evidence.h"

/* Courses that are kept of a run. */
enum figure_course {
	COURSE_REQS, COURSE_FAILED, COURSE_CHECKS, COURSE_DURATION,
	COURSE_EXPECTED, COURSES
};

/* What is compared of a run; sinks and courses are owned. seconds is how long
 * it took, 0 if that is not known. Start with figures_init. */
struct figures {
	double reqs, seconds, iterations;
	double failed_by_status;	/* while failed is empty; NAN */
	struct sink failed, checks, duration;
	struct sink expected;	/* durations of expected answers */
	char **crossed;		/* "METRIC SOURCE" of each such threshold;
				   owned */
	size_t n_crossed, cap_crossed;
	bool has_crossed;	/* one is, but nothing may tell which */
	struct course course[COURSES];
};

enum unit { UNIT_RATE, UNIT_SHARE, UNIT_MS, UNIT_COUNT };

/* One figure. Those with a sign get a verdict: -1 less is better, 1 more is
 * better. of gives NAN if the run has no such figure. */
struct measure {
	const char *name;
	double (*of)(const struct figures *f);
	enum unit unit;
	int sign;
	enum figure_course course;	/* COURSES: it is exact */
	struct statistic statistic;
};

/* All figures of a run, in the order in which they are shown. */
enum {
	MEASURE_REQUESTS, MEASURE_RATE, MEASURE_ITERATIONS, MEASURE_FAILED,
	MEASURE_FAILED_CHECKS, MEASURE_CROSSED, MEASURE_AVG, MEASURE_MED,
	MEASURE_P90, MEASURE_P95, MEASURE_P99, MEASURE_MAX,
	MEASURE_EXPECTED_MED, MEASURE_EXPECTED_P95, MEASURES
};
extern const struct measure measures[MEASURES];

/* That of the requests of one name and method: their p95. */
extern const struct measure measure_url;

void	figures_init(struct figures *f);

/* Frees what f owns. */
void	figures_release(struct figures *f);

/* Are these response times? Not if there are none, or all are 0: k6 sends 0
 * for a request that got no answer, and no answer takes no time. */
bool	measure_has_times(const struct sink *durations);

/* Note a threshold that is crossed; texts are copied. */
void	figures_cross(struct figures *f, struct span metric,
	    struct span source);

/* Count a series of the whole run in; other metrics are passed over. */
void	measure_add(struct figures *f, struct span metric,
	    const struct sink *sink);

/* The course for values of a metric; NULL: none is kept. */
struct course *measure_course(struct figures *f, struct span metric);

/* The change from a to b as a share of a; NAN if a is 0. */
double	measure_change(double a, double b);

#endif
