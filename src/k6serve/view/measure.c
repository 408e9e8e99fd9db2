/* SPDX-License-Identifier: MIT */
/* The table of figures, and the rules by which they are judged. */
#include "k6serve/view/measure.h"

#include <math.h>

#include "base/mem.h"
#include "data/percentile.h"

#define LEAST_MS 0.1	/* a shorter time is noise, whatever its share */
#define LEAST_SHARE 0.01	/* of failures and of failed checks */

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
	return f->result_status;
}

static double
avg_of(const struct figures *f)
{
	return f->duration.count != 0 ? sink_avg(&f->duration) : NAN;
}

#define QUANTILE(name, p) \
	static double name(const struct figures *f) \
	{ \
		return f->duration.count != 0 ? \
		    sink_quantile(&f->duration, percentiles[p].at) : NAN; \
	}

QUANTILE(med_of, P50)
QUANTILE(p90_of, P90)
QUANTILE(p95_of, P95)
QUANTILE(p99_of, P99)

static double
max_of(const struct figures *f)
{
	return f->duration.count != 0 ? f->duration.max : NAN;
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

const struct measure measures[MEASURES] = {
	{ "requests", reqs_of, UNIT_COUNT, 0 },
	{ "requests/s", rate_of, UNIT_RATE, 1 },
	{ "iterations/s", iterations_of, UNIT_RATE, 0 },
	{ "failed", failed_of, UNIT_SHARE, -1 },
	{ "failed checks", unchecked_of, UNIT_SHARE, -1 },
	{ "crossed thresholds", crossed_of, UNIT_COUNT, -1 },
	{ "avg", avg_of, UNIT_MS, 0 },
	{ "med", med_of, UNIT_MS, -1 },
	{ "p90", p90_of, UNIT_MS, -1 },
	{ "p95", p95_of, UNIT_MS, -1 },
	{ "p99", p99_of, UNIT_MS, -1 },
	{ "max", max_of, UNIT_MS, 0 },
	{ "med, expected", expected_med_of, UNIT_MS, -1 },
	{ "p95, expected", expected_p95_of, UNIT_MS, -1 },
};

const struct measure measure_url = { "p95", p95_of, UNIT_MS, -1 };

double
measure_change(double a, double b)
{
	return a != 0 ? (b - a) / a : NAN;
}

enum verdict
measure_judge(const struct measure *m, double a, double b, double bound)
{
	double worse = m->sign < 0 ? b - a : a - b, least = 0;

	if (m->sign == 0 || !isfinite(a) || !isfinite(b))
		return SAME;
	switch (m->unit) {
	case UNIT_SHARE:
		least = LEAST_SHARE;
		break;
	case UNIT_COUNT:
		least = 0.5;
		break;
	case UNIT_MS:
		least = fmax(LEAST_MS, fabs(a) * bound);
		break;
	case UNIT_RATE:
		least = fabs(a) * bound;
		break;
	}
	return worse > least ? WORSE : worse < -least ? BETTER : SAME;
}

enum verdict
measure_verdict(const struct measure *m, const struct figures *a,
    const struct figures *b, double bound)
{
	enum verdict verdict = measure_judge(m, m->of(a), m->of(b), bound);

	if (verdict == BETTER && m->unit == UNIT_MS && m->of !=
	    expected_med_of && m->of != expected_p95_of &&
	    failed_of(b) - failed_of(a) > LEAST_SHARE)
		return SAME;
	return verdict;
}

int
measure_add(void *ctx, const struct store_row *row)
{
	struct figures *f = ctx;

	if (span_is(row->metric, "http_reqs"))
		f->reqs += sink_sum(row->sink);
	else if (span_is(row->metric, "iterations"))
		f->iterations += sink_sum(row->sink);
	else if (span_is(row->metric, "http_req_failed"))
		sink_merge(&f->failed, row->sink);
	else if (span_is(row->metric, "checks"))
		sink_merge(&f->checks, row->sink);
	else if (span_is(row->metric, "http_req_duration"))
		sink_merge(&f->duration, row->sink);
	return 0;
}
