/* SPDX-License-Identifier: MIT */
/* Judges the figures and names of two runs, or of a baseline and a run. */
#include "data/compare.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"

enum { LEAST_COUNT = 100 };	/* requests, before a name counts */

#define LEAST_MS 0.1	/* a shorter time is noise, whatever its share */
#define LEAST_SHARE 0.01	/* of failures and of failed checks */

int
compare_set_effect(void *member, const struct opt *o, const char *value,
    struct why *why)
{
	double percent;
	size_t n = num_parse(value, strlen(value), &percent);

	(void)o;
	if (n == 0 || (value[n] != '\0' && strcmp(value + n, "%") != 0) ||
	    percent < 0 || percent > 1000)
		return why_set(why, "\"%s\" is not a percentage from 0 to "
		    "1000, such as 5%%", value);
	*(double *)member = percent / 100;
	return 0;
}

const char *
change_verdict_name(enum verdict_of_change verdict)
{
	static const char *const names[] = { "same", "better", "worse",
		"unknown" };

	return names[verdict];
}

/* By the values alone. */
static enum verdict_of_change
verdict_of_values(const struct change *c, double min_effect)
{
	double a = c->value[0], b = c->value[1], least = 0;
	double worse = c->measure->sign < 0 ? b - a : a - b;

	switch (c->measure->unit) {
	case UNIT_SHARE:
		least = LEAST_SHARE;
		break;
	case UNIT_COUNT:
		least = 0.5;
		break;
	case UNIT_MS:
		least = fmax(LEAST_MS, fabs(a) * min_effect);
		break;
	case UNIT_RATE:
		least = fabs(a) * min_effect;
		break;
	}
	/* what differs by just as much in decimals does */
	least *= 1 - 1e-9;
	return worse >= least ? CHANGE_WORSE : worse <= -least ?
	    CHANGE_BETTER : CHANGE_SAME;
}

/* The mean of n values that are known: of times and rates the geometric one,
 * as their changes are ratios. */
static double
mean_of(const double *values, size_t n, enum unit unit)
{
	bool is_ratio = (unit == UNIT_MS || unit == UNIT_RATE) && n > 1;
	double sum = 0, known = 0;
	size_t i;

	for (i = 0; i < n; i++)
		if (isfinite(values[i])) {
			sum += is_ratio ? log(values[i]) : values[i];
			known++;
		}
	if (known == 0)
		return NAN;
	return is_ratio ? exp(sum / known) : sum / known;
}

/* What the courses say of it; those without a value do not count. values,
 * counts and courses are of the base's runs and then of the run. */
static void
weigh(struct change *c, size_t n_base, const double *values,
    const double *counts, const struct course *const *courses)
{
	struct evidence_run *base = xcalloc(n_base, sizeof(*base));
	struct evidence_of of = { .statistic = c->measure->statistic,
	    .base = base, .run = { courses[n_base], values[n_base],
	    counts[n_base] } };
	bool is_share = c->measure->unit == UNIT_SHARE;
	size_t i;

	for (i = 0; i < n_base; i++)
		if (isfinite(values[i]) && (is_share || values[i] > 0))
			base[of.n_base++] = (struct evidence_run){ courses[i],
			    values[i], counts[i] };
	if (of.n_base != 0 && (is_share || of.run.value > 0)) {
		c->evidence = evidence_find(&of);
		c->is_asked = true;
	}
	if (is_share && c->evidence.is_known) {
		c->evidence.low = fmax(c->evidence.low, -c->value[0]);
		c->evidence.high = fmin(c->evidence.high, 1 - c->value[0]);
	}
	free(base);
}

static double
count_of(const struct figures *f, int measure)
{
	return measure == MEASURE_FAILED_CHECKS ? (double)f->checks.count :
	    f->reqs;
}

static void
compare_figure(struct comparison *c, int i)
{
	const struct measure *m = &measures[i];
	const struct course **courses = xcalloc(c->n_base + 1,
	    sizeof(*courses));
	double *values = xcalloc(c->n_base + 1, sizeof(*values));
	double *counts = xcalloc(c->n_base + 1, sizeof(*counts));
	struct change *to = &c->changes[i];
	const struct figures *f;
	size_t k;

	for (k = 0; k <= c->n_base; k++) {
		f = k < c->n_base ? &c->base[k] : c->run;
		values[k] = m->of(f);
		counts[k] = count_of(f, i);
		courses[k] = m->course == COURSES ? NULL :
		    m->course == COURSE_EXPECTED && !compare_has_expected(f) ?
		    &f->course[COURSE_DURATION] : &f->course[m->course];
	}
	*to = (struct change){ .measure = m, .value = { mean_of(values,
	    c->n_base, m->unit), values[c->n_base] },
	    .evidence = { false, NAN, NAN, NAN } };
	to->is_missing = m->sign != 0 && isfinite(to->value[0]) &&
	    !isfinite(to->value[1]);
	if (m->sign != 0 && isfinite(to->value[0]) && isfinite(to->value[1])) {
		/* Of a rate that is 0 no course is left to weigh. */
		to->is_exact = m->course == COURSES ||
		    (m->unit == UNIT_RATE && to->value[1] == 0);
		if (!to->is_exact)
			weigh(to, c->n_base, values, counts, courses);
	}
	free(courses);
	free(values);
	free(counts);
}

bool
compare_has_expected(const struct figures *f)
{
	return f->expected.count != 0 &&
	    f->expected.count != f->duration.count;
}

void
compare_figures(struct comparison *c)
{
	int i;

	for (i = 0; i < MEASURES; i++)
		compare_figure(c, i);
}

size_t
compare_add_name(struct comparison *c, const struct name_of_runs *n)
{
	struct change_of_name *to;
	bool has_few = false;
	size_t i;

	c->names = xgrow(c->names, c->n_names, &c->cap_names,
	    sizeof(c->names[0]));
	to = &c->names[c->n_names];
	*to = (struct change_of_name){ .name = xstrdup(n->name),
	    .method = xstrdup(n->method),
	    .reqs = { mean_of(n->reqs, c->n_base, UNIT_COUNT),
	    n->reqs[c->n_base] },
	    .p95 = { .measure = &measure_url, .value = { mean_of(n->p95,
	    c->n_base, UNIT_MS), n->p95[c->n_base] },
	    .evidence = { false, NAN, NAN, NAN } } };
	for (i = 0; i <= c->n_base; i++)
		has_few |= n->reqs[i] < LEAST_COUNT;
	to->p95.is_asked = !has_few && to->p95.value[0] > 0 &&
	    to->p95.value[1] > 0;
	return c->n_names++;
}

/* What does not differ by enough is no finding, whatever its course. */
bool
compare_asks(const struct comparison *c, size_t name)
{
	const struct change *p95 = &c->names[name].p95;

	return p95->is_asked && verdict_of_values(p95, c->min_effect) !=
	    CHANGE_SAME;
}

void
compare_name(struct comparison *c, size_t name, const double *p95,
    const struct course *const *courses)
{
	weigh(&c->names[name].p95, c->n_base, p95, p95, courses);
}

/* What is asked of the data, all at once. */
static void
adjust(struct comparison *c)
{
	double **p = xcalloc(MEASURES + c->n_names, sizeof(*p));
	size_t n_p = 0, n = 0, i;
	struct change *at;

	for (i = 0; i < MEASURES + c->n_names; i++) {
		at = i < MEASURES ? &c->changes[i] :
		    &c->names[i - MEASURES].p95;
		n += at->is_asked;
		if (at->evidence.is_known)
			p[n_p++] = &at->evidence.p;
	}
	evidence_adjust(p, n_p, n);
	free(p);
}

/* Errors are quick: a latency of all answers is never better while more
 * requests fail. */
static bool
is_quick_failure(const struct comparison *c, const struct change *at)
{
	const double *failed = c->changes[MEASURE_FAILED].value;

	return at->measure->unit == UNIT_MS &&
	    at->measure->course != COURSE_EXPECTED &&
	    failed[1] - failed[0] > LEAST_SHARE;
}

static void
conclude(struct comparison *c, struct change *at)
{
	enum verdict_of_change v = CHANGE_SAME;

	if (at->is_exact || at->is_asked)
		v = verdict_of_values(at, c->min_effect);
	if (at->is_asked && !at->evidence.is_known)
		v = at->measure == &measure_url && v == CHANGE_SAME ?
		    CHANGE_SAME : CHANGE_UNKNOWN;
	else if (at->is_asked && at->evidence.p > COMPARE_ALARM)
		v = CHANGE_SAME;
	if (at->is_missing)
		v = CHANGE_UNKNOWN;
	if (v == CHANGE_BETTER && is_quick_failure(c, at))
		v = CHANGE_SAME;
	at->verdict = v;
	c->worse += v == CHANGE_WORSE;
	c->better += v == CHANGE_BETTER;
	c->unknown += v == CHANGE_UNKNOWN;
	c->missing += at->is_missing;
}

static int
worst_first(const void *a, const void *b)
{
	const struct change_of_name *x = a, *y = b;
	int i = x->p95.verdict == CHANGE_WORSE;
	int j = y->p95.verdict == CHANGE_WORSE, order;

	if (i != j)
		return j - i;
	if (x->reqs[1] != y->reqs[1])
		return x->reqs[1] > y->reqs[1] ? -1 : 1;
	order = strcmp(x->name, y->name);
	return order != 0 ? order : strcmp(x->method, y->method);
}

void
compare_conclude(struct comparison *c)
{
	size_t i;

	adjust(c);
	c->worse = c->better = c->unknown = c->missing = 0;
	for (i = 0; i < MEASURES; i++)
		conclude(c, &c->changes[i]);
	for (i = 0; i < c->n_names; i++)
		conclude(c, &c->names[i].p95);
	if (c->n_names != 0)
		qsort(c->names, c->n_names, sizeof(c->names[0]), worst_first);
}

void
compare_release(struct comparison *c)
{
	size_t i;

	for (i = 0; i < c->n_names; i++) {
		free(c->names[i].name);
		free(c->names[i].method);
	}
	free(c->names);
	c->names = NULL;
	c->n_names = c->cap_names = 0;
}
