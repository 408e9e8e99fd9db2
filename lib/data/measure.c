/* SPDX-License-Identifier: MIT */
/* The table of figures, and the rules by which they are judged. */
#include "data/measure.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "data/percentile.h"

enum { LEAST_COUNT = 100 };	/* requests, before a name counts */

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

enum measure_verdict
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

enum measure_verdict
measure_verdict_of(const struct measure *m, const struct figures *a,
    const struct figures *b, double bound)
{
	enum measure_verdict verdict = measure_judge(m, m->of(a), m->of(b), bound);

	if (verdict == BETTER && m->unit == UNIT_MS && m->of !=
	    expected_med_of && m->of != expected_p95_of &&
	    failed_of(b) - failed_of(a) > LEAST_SHARE)
		return SAME;
	return verdict;
}

void
measure_add(struct figures *f, struct span metric, const struct sink *sink)
{
	if (span_is(metric, "http_reqs"))
		f->reqs += sink_sum(sink);
	else if (span_is(metric, "iterations"))
		f->iterations += sink_sum(sink);
	else if (span_is(metric, "http_req_failed"))
		sink_merge(&f->failed, sink);
	else if (span_is(metric, "checks"))
		sink_merge(&f->checks, sink);
	else if (span_is(metric, "http_req_duration"))
		sink_merge(&f->duration, sink);
}

void
measure_release(struct figures *f)
{
	sink_release(&f->duration);
	sink_release(&f->expected);
}

enum measure_verdict
measure_judge_url(const double reqs[2], const double p95[2], double bound)
{
	return reqs[0] >= LEAST_COUNT && reqs[1] >= LEAST_COUNT
	    ? measure_judge(&measure_url, p95[0], p95[1], bound) : SAME;
}

int
measure_worse(const struct figures f[2], double bound)
{
	int i, worse = 0;

	for (i = 0; i < MEASURES; i++)
		worse += measure_verdict_of(&measures[i], &f[0], &f[1],
		    bound) == WORSE;
	return worse;
}

const char *
measure_verdict_name(enum measure_verdict verdict)
{
	static const char *const names[] = { "same", "better", "worse" };

	return names[verdict];
}

static void
print_value(struct buf *out, enum unit unit, double value)
{
	if (!isfinite(value))
		buf_printf(out, " %14s", "-");
	else if (unit == UNIT_SHARE)
		buf_printf(out, " %12.2f %%", value * 100);
	else if (unit == UNIT_MS)
		buf_printf(out, " %11.3f ms", value);
	else if (unit == UNIT_RATE)
		buf_printf(out, " %12.2f/s", value);
	else
		buf_printf(out, " %14.0f", value);
}

void
measure_print_line(struct buf *out, const char *name, enum unit unit,
    const double value[2], enum measure_verdict verdict)
{
	double change = measure_change(value[0], value[1]);
	char text[32] = "";

	buf_printf(out, "%-20s", name);
	print_value(out, unit, value[0]);
	print_value(out, unit, value[1]);
	if (isfinite(change) && unit != UNIT_SHARE)
		(void)snprintf(text, sizeof(text), "%+.1f %%", change * 100);
	buf_printf(out, " %10s%s%s\n", text, verdict != SAME ? "  " : "",
	    verdict != SAME ? measure_verdict_name(verdict) : "");
}

void
measure_print(struct buf *out, const struct figures f[2], double bound)
{
	double value[2];
	int i;

	buf_printf(out, "%-20s %14s %14s %10s\n", "", "A", "B", "change");
	for (i = 0; i < MEASURES; i++) {
		value[0] = measures[i].of(&f[0]);
		value[1] = measures[i].of(&f[1]);
		measure_print_line(out, measures[i].name, measures[i].unit,
		    value, measure_verdict_of(&measures[i], &f[0], &f[1],
		    bound));
	}
}

void
measure_print_end(struct buf *out, int worse, double bound)
{
	if (worse != 0)
		buf_printf(out, "worse by more than %g %%: %d\n", bound * 100,
		    worse);
	else
		buf_printf(out, "nothing is worse by more than %g %%\n",
		    bound * 100);
}
