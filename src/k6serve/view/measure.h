/* SPDX-License-Identifier: MIT */
/* measure: the figures by which two runs are compared, and the verdict. */
#ifndef K6PIPE_K6SERVE_VIEW_MEASURE_H
#define K6PIPE_K6SERVE_VIEW_MEASURE_H

#include "data/sink.h"
#include "k6serve/store/store_query.h"

/* What is compared of a run; the sinks are owned. seconds is how long it took,
 * 0 if that is not known; duration.type and expected.type must be METRIC_TREND before
 * the first row. */
struct figures {
	double reqs, seconds, iterations;
	double failed_by_status;	/* while failed is empty; NAN */
	struct sink failed, checks, duration;
	struct sink expected;	/* durations of expected answers */
	int result_status;
};

enum unit { UNIT_RATE, UNIT_SHARE, UNIT_MS, UNIT_COUNT };
enum verdict { SAME, BETTER, WORSE };

/* One figure. Those with a sign get a verdict: -1 less is better, 1 more is
 * better. of gives NAN if the run has no such figure. */
struct measure {
	const char *name;
	double (*of)(const struct figures *f);
	enum unit unit;
	int sign;
};

enum { MEASURES = 14 };

/* All figures of a run, in the order in which they are shown. */
extern const struct measure measures[MEASURES];

/* The verdict on one of them from a to b. That of the latency of all answers is
 * never better while more requests fail: errors are quick. */
enum verdict measure_verdict(const struct measure *m, const struct figures *a,
	    const struct figures *b, double bound);

/* That of the requests of one name and method. */
extern const struct measure measure_url;

/* Count one row of a run's whole series in; ctx is a struct figures. Returns 0,
 * as store_series wants it. */
int	measure_add(void *ctx, const struct store_row *row);

/* The change from a to b as a share of a; NAN if a is 0. */
double	measure_change(double a, double b);

/* Is b worse or better than a, by more than bound, a share as 0.1? A share of
 * requests or checks is judged by one percentage point instead, a time must
 * differ by more than 0.1 ms as well. */
enum verdict measure_judge(const struct measure *m, double a, double b,
	    double bound);

#endif
