/* SPDX-License-Identifier: MIT */
/*
 * measure: the figures by which two runs are compared, the verdict, and how
 * both are shown. k6serve compares what it stores, k6agg two files.
 */
#ifndef K6PIPE_DATA_MEASURE_H
#define K6PIPE_DATA_MEASURE_H

#include "base/buf.h"
#include "data/sink.h"

/* What is compared of a run; the sinks are owned. seconds is how long it took,
 * 0 if that is not known; duration.type and expected.type must be METRIC_TREND
 * before the first series. */
struct figures {
	double reqs, seconds, iterations;
	double failed_by_status;	/* while failed is empty; NAN */
	struct sink failed, checks, duration;
	struct sink expected;	/* durations of expected answers */
	int result_status;
};

enum unit { UNIT_RATE, UNIT_SHARE, UNIT_MS, UNIT_COUNT };
enum measure_verdict { SAME, BETTER, WORSE };

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
enum measure_verdict measure_verdict_of(const struct measure *m, const struct figures *a,
	    const struct figures *b, double bound);

/* That of the requests of one name and method. */
extern const struct measure measure_url;

/* Count a series of the whole run in; other metrics are passed over. */
void	measure_add(struct figures *f, struct span metric,
	    const struct sink *sink);

/* Frees what f owns. */
void	measure_release(struct figures *f);

/* The change from a to b as a share of a; NAN if a is 0. */
double	measure_change(double a, double b);

/* Is b worse or better than a, by more than bound, a share as 0.1? A share of
 * requests or checks is judged by one percentage point instead, a time must
 * differ by more than 0.1 ms as well. */
enum measure_verdict measure_judge(const struct measure *m, double a, double b,
	    double bound);

/* That of the requests of one name and method: their numbers, and p95 (NAN: no
 * such figure). Few requests are not judged. */
enum measure_verdict measure_judge_url(const double reqs[2], const double p95[2],
	    double bound);

/* How many figures of the second run are worse. */
int	measure_worse(const struct figures f[2], double bound);

/* Append, as lines of text: a title and all figures; one figure by name; the
 * conclusion. */
void	measure_print(struct buf *out, const struct figures f[2],
	    double bound);
void	measure_print_line(struct buf *out, const char *name, enum unit unit,
	    const double value[2], enum measure_verdict verdict);
void	measure_print_end(struct buf *out, int worse, double bound);

/* "same", "better", "worse". */
const char *measure_verdict_name(enum measure_verdict verdict);

#endif
