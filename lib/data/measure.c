/* SPDX-License-Identifier: MIT */
/* The table of figures, and how a run's rows become them. */
#include "data/measure.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/percentile.h"

static double
share_of(const struct sink *s)
{
	return s->count != 0 ? (double)s->nonzero / (double)s->count : NAN;
}

static double
reqs_of(const struct figures *f)
{
	return f->reqs;
}

static double
rate_of(const struct figures *f)
{
	return f->seconds > 0 ? f->reqs / f->seconds : NAN;
}

static double
iterations_of(const struct figures *f)
{
	return f->seconds > 0 ? f->iterations / f->seconds : NAN;
}

static double
failed_of(const struct figures *f)
{
	if (f->reqs == 0)
		return NAN;
	return f->failed.count != 0 ? (double)f->failed.nonzero / f->reqs
	    : f->failed_by_status / f->reqs;
}

static double
unchecked_of(const struct figures *f)
{
	return 1 - share_of(&f->checks);
}

static double
crossed_of(const struct figures *f)
{
	return f->n_crossed != 0 ? (double)f->n_crossed : f->has_crossed;
}

bool
measure_has_times(const struct sink *durations)
{
	return durations->count != 0 && durations->max > 0;
}

static bool
has_times(const struct figures *f)
{
	return measure_has_times(&f->duration);
}

static double
avg_of(const struct figures *f)
{
	return has_times(f) ? sink_avg(&f->duration) : NAN;
}

#define QUANTILE(name, p) \
	static double name(const struct figures *f) \
	{ \
		return has_times(f) ? \
		    sink_quantile(&f->duration, percentiles[p].at) : NAN; \
	}

QUANTILE(med_of, P50)
QUANTILE(p90_of, P90)
QUANTILE(p95_of, P95)
QUANTILE(p99_of, P99)

static double
max_of(const struct figures *f)
{
	return has_times(f) ? f->duration.max : NAN;
}

static double
expected_of(const struct figures *f, enum percentile p)
{
	return f->expected.count != 0 ?
	    sink_quantile(&f->expected, percentiles[p].at) : NAN;
}

static double
expected_med_of(const struct figures *f)
{
	return expected_of(f, P50);
}

static double
expected_p95_of(const struct figures *f)
{
	return expected_of(f, P95);
}

#define RATE(c) c, { STATISTIC_RATE, 0 }
#define SHARE(c) c, { STATISTIC_SHARE, 0 }
#define AT(c, at) c, { STATISTIC_QUANTILE, at }
#define EXACT COURSES, { STATISTIC_RATE, 0 }

const struct measure measures[MEASURES] = {
	[MEASURE_REQUESTS] = { "requests", reqs_of, UNIT_COUNT, 0, EXACT },
	[MEASURE_RATE] = { "requests/s", rate_of, UNIT_RATE, 1,
	    RATE(COURSE_REQS) },
	[MEASURE_ITERATIONS] = { "iterations/s", iterations_of, UNIT_RATE, 0,
	    EXACT },
	[MEASURE_FAILED] = { "failed", failed_of, UNIT_SHARE, -1,
	    SHARE(COURSE_FAILED) },
	[MEASURE_FAILED_CHECKS] = { "failed checks", unchecked_of, UNIT_SHARE,
	    -1, SHARE(COURSE_CHECKS) },
	[MEASURE_CROSSED] = { "crossed thresholds", crossed_of, UNIT_COUNT, -1,
	    EXACT },
	[MEASURE_AVG] = { "avg", avg_of, UNIT_MS, 0, EXACT },
	[MEASURE_MED] = { "med", med_of, UNIT_MS, -1,
	    AT(COURSE_DURATION, 0.5) },
	[MEASURE_P90] = { "p90", p90_of, UNIT_MS, -1,
	    AT(COURSE_DURATION, 0.9) },
	[MEASURE_P95] = { "p95", p95_of, UNIT_MS, -1,
	    AT(COURSE_DURATION, 0.95) },
	[MEASURE_P99] = { "p99", p99_of, UNIT_MS, -1,
	    AT(COURSE_DURATION, 0.99) },
	[MEASURE_MAX] = { "max", max_of, UNIT_MS, 0, EXACT },
	[MEASURE_EXPECTED_MED] = { "med, expected", expected_med_of, UNIT_MS,
	    -1, AT(COURSE_EXPECTED, 0.5) },
	[MEASURE_EXPECTED_P95] = { "p95, expected", expected_p95_of, UNIT_MS,
	    -1, AT(COURSE_EXPECTED, 0.95) },
};

const struct measure measure_url = { "p95", p95_of, UNIT_MS, -1,
	AT(COURSE_DURATION, 0.95) };

void
figures_init(struct figures *f)
{
	static const enum metric_type types[COURSES] = {
		[COURSE_REQS] = METRIC_COUNTER, [COURSE_FAILED] = METRIC_RATE,
		[COURSE_CHECKS] = METRIC_RATE,
		[COURSE_DURATION] = METRIC_TREND,
		[COURSE_EXPECTED] = METRIC_TREND };
	int i;

	*f = (struct figures){ .failed_by_status = NAN, .iterations = NAN,
	    .failed.type = METRIC_RATE, .checks.type = METRIC_RATE,
	    .duration.type = METRIC_TREND, .expected.type = METRIC_TREND };
	for (i = 0; i < COURSES; i++)
		f->course[i].type = types[i];
}

void
figures_release(struct figures *f)
{
	size_t k;
	int i;

	for (k = 0; k < f->n_crossed; k++)
		free(f->crossed[k]);
	free(f->crossed);
	sink_release(&f->failed);
	sink_release(&f->checks);
	sink_release(&f->duration);
	sink_release(&f->expected);
	for (i = 0; i < COURSES; i++)
		course_release(&f->course[i]);
}

void
figures_cross(struct figures *f, struct span metric, struct span source)
{
	f->crossed = xgrow(f->crossed, f->n_crossed, &f->cap_crossed,
	    sizeof(f->crossed[0]));
	f->crossed[f->n_crossed++] = xasprintf("%.*s %.*s", (int)metric.n,
	    metric.p, (int)source.n, source.p);
}

double
measure_change(double a, double b)
{
	return a != 0 ? (b - a) / a : NAN;
}

void
measure_add(struct figures *f, struct span metric, const struct sink *sink)
{
	if (span_is(metric, "http_reqs"))
		f->reqs += sink_sum(sink);
	else if (span_is(metric, "iterations"))
		f->iterations = (isnan(f->iterations) ? 0 : f->iterations) +
		    sink_sum(sink);
	else if (span_is(metric, "http_req_failed"))
		sink_merge(&f->failed, sink);
	else if (span_is(metric, "checks"))
		sink_merge(&f->checks, sink);
	else if (span_is(metric, "http_req_duration"))
		sink_merge(&f->duration, sink);
}

struct course *
measure_course(struct figures *f, struct span metric)
{
	static const char *const names[] = { [COURSE_REQS] = "http_reqs",
		[COURSE_FAILED] = "http_req_failed",
		[COURSE_CHECKS] = "checks",
		[COURSE_DURATION] = "http_req_duration" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is(metric, names[i]))
			return &f->course[i];
	return NULL;
}
