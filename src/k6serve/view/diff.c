/* SPDX-License-Identifier: MIT */
/* Reads the runs of a comparison: their figures, names and courses. */
#include "k6serve/view/diff.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/units.h"
#include "data/percentile.h"
#include "data/run.h"
#include "k6serve/view/baseline.h"
#include "k6serve/view/criteria.h"
#include "k6serve/view/failures.h"

void
diff_release(struct diff *d)
{
	size_t i;

	for (i = 0; d->runs != NULL && i <= d->n_base; i++) {
		free(d->runs[i].name);
		groups_release(&d->runs[i].by_name);
		figures_release(&d->figures[i]);
	}
	free(d->runs);
	free(d->figures);
	compare_release(&d->comparison);
}

/* One of the runs while it is read. */
struct side {
	struct diff_run *run;
	struct figures *figures;
	struct tags tags;
	struct why *why;
};

static int
note_run(void *ctx, const struct store_run *run)
{
	struct side *s = ctx;
	const struct view *v = &s->run->view;
	struct criteria c = { 0 };
	size_t i;

	s->run->name = xstrndup(run->name.p, run->name.n);
	s->run->is_empty = run->points == 0;
	s->figures->has_crossed = run->result_status != 0 ||
	    run->run_status == RUN_ABORTED_BY_THRESHOLD;
	if (criteria_read(&c, v->store, v->owner, run, s->why) < 0)
		return -1;
	for (i = 0; i < c.n; i++)
		if (criterion_failed(&c.list[i]) > 0)
			figures_cross(s->figures, span_of(c.list[i].metric),
			    span_of(c.list[i].source));
	criteria_release(&c);
	return 0;
}

static int
add_row(void *ctx, const struct store_row *row)
{
	measure_add(ctx, row->metric, row->sink);
	return 0;
}

static void
add_to_course(struct course *c, const struct side *s,
    const struct store_row *row)
{
	sink_merge(course_at(c, row->second * NS_PER_S,
	    s->run->view.step_s * NS_PER_S), row->sink);
}

static int
add_point(void *ctx, const struct store_row *row)
{
	struct side *s = ctx;
	struct course *c = measure_course(s->figures, row->metric);

	if (c != NULL)
		add_to_course(c, s, row);
	return 0;
}

static int
add_expected(void *ctx, const struct store_row *row)
{
	struct side *s = ctx;
	struct jsn j = jsn_of(row->tags);
	const struct tagset *set = tags_read(&s->tags, &j);

	if (set != NULL && span_is(tag_value(set, "expected_response"), "true"))
		add_to_course(&s->figures->course[COURSE_EXPECTED], s, row);
	return 0;
}

static int
read_courses(struct side *s, struct why *why)
{
	static const char *const metrics[] = { "http_reqs", "http_req_failed",
		"checks", "http_req_duration" };
	const struct view *v = &s->run->view;
	struct store_query q = { .owner = v->owner, .run = v->run,
	    .is_whole = true };
	size_t i;

	for (i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		q.metric = metrics[i];
		if (store_points(v->store, &q, add_point, s, why) < 0)
			return -1;
	}
	q.is_whole = false;
	return compare_has_expected(s->figures) &&
	    store_points(v->store, &q, add_expected, s, why) < 0 ? -1 : 0;
}

static int
read_names(struct side *s, struct why *why)
{
	static const char *const metrics[] = { "http_reqs",
	    "http_req_failed", "http_req_duration" };
	const struct view *v = &s->run->view;
	struct store_query q = { .owner = v->owner, .run = v->run };
	struct groups *g = &s->run->by_name;
	size_t i;

	g->by[0] = "name";
	g->by[1] = "method";
	for (i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		q.metric = metrics[i];
		if (groups_read(g, v->store, &q, why) < 0)
			return -1;
	}
	return 0;
}

/* 1; 0: there is no such run; -1: why. */
static int
read_run(struct diff *d, size_t i, struct why *why)
{
	struct side s = { .run = &d->runs[i], .figures = &d->figures[i],
	    .why = why };
	struct view *v = &s.run->view;
	struct store_run_query run = { .owner = v->owner, .id = v->run };
	struct store_query q = { .owner = v->owner, .run = v->run,
	    .is_whole = true };
	int status;

	v->step_s = 0;		/* the run's own */
	status = view_open(v, why);
	if (status <= 0)
		return status;
	s.figures->seconds = v->seconds;
	if (store_runs(v->store, &run, note_run, &s, why) < 0 ||
	    store_series(v->store, &q, add_row, s.figures, why) < 0 ||
	    failures_by_status(v, &s.figures->failed_by_status, why) < 0 ||
	    failures_expected(v, &s.figures->expected, NULL, why) < 0 ||
	    read_names(&s, why) < 0 || read_courses(&s, why) < 0)
		status = -1;
	tags_release(&s.tags);
	return status;
}

/* A name that is judged by its courses: those of the base's runs, and of the
 * run. */
struct candidate {
	size_t name;		/* number in the comparison */
	struct course *courses;	/* owned */
	double *p95;		/* owned */
};

struct candidates {
	struct diff *d;
	struct map by_key;	/* of struct candidate; owned */
	size_t at;		/* the run that is read */
	struct why *why;
};

static struct span
key_of(const struct group *g)
{
	return (struct span){ g->key, g->tag[0].n + g->tag[1].n +
	    GROUP_TAGS };
}

/* As the group of the same name in each run tells. */
static void
add_name(struct candidates *c, const struct group *g)
{
	struct diff *d = c->d;
	size_t n = d->n_base + 1, i;
	double *reqs = xcalloc(n, sizeof(*reqs));
	double *p95 = xcalloc(n, sizeof(*p95));
	struct candidate *to;
	const struct group *same;
	size_t name;

	for (i = 0; i < n; i++) {
		same = map_get(&d->runs[i].by_name.by_key, key_of(g));
		reqs[i] = same != NULL ? same->reqs : 0;
		p95[i] = same != NULL && same->sink.count != 0 ?
		    sink_quantile(&same->sink, percentiles[P95].at) : NAN;
	}
	name = compare_add_name(&d->comparison, &(struct name_of_runs){
	    g->tag[0].p, g->tag[1].p, reqs, p95 });
	free(reqs);
	if (!compare_asks(&d->comparison, name)) {
		free(p95);
		return;
	}
	to = xcalloc(1, sizeof(*to));
	to->name = name;
	to->p95 = p95;
	to->courses = xcalloc(n, sizeof(*to->courses));
	for (i = 0; i < n; i++)
		to->courses[i].type = METRIC_TREND;
	map_put(&c->by_key, key_of(g), to);
}

/* Of the names of the run those that its newest base has, too. */
static void
add_names(struct candidates *c)
{
	struct diff *d = c->d;
	const struct group *g;
	size_t at = 0;

	while ((g = map_next(&d->runs[d->n_base].by_name.by_key, &at)) != NULL)
		if (map_get(&d->runs[0].by_name.by_key, key_of(g)) != NULL)
			add_name(c, g);
}

struct filling {
	const struct side *side;
	struct course *course;
};

static int
fill_course(void *ctx, const struct store_row *row)
{
	struct filling *f = ctx;

	add_to_course(f->course, f->side, row);
	return 0;
}

/* A series of a candidate: second by second. */
static int
fill_series(void *ctx, const struct store_row *row)
{
	struct candidates *c = ctx;
	struct diff_run *run = &c->d->runs[c->at];
	const struct group *g = groups_of(&run->by_name, row->tags);
	struct candidate *to = g == NULL ? NULL : map_get(&c->by_key,
	    key_of(g));
	struct store_series_query q = { .owner = run->view.owner,
	    .series = row->series, .type = row->type };
	struct side side = { .run = run };
	struct filling f;

	if (to == NULL)
		return 0;
	f = (struct filling){ &side, &to->courses[c->at] };
	return store_points_of(run->view.store, &q, fill_course, &f, c->why);
}

static int
fill_candidates(struct candidates *c)
{
	struct store_query q = { .metric = "http_req_duration",
	    .has_no_hist = true };
	struct view *v;

	for (c->at = 0; c->at <= c->d->n_base; c->at++) {
		v = &c->d->runs[c->at].view;
		q.owner = v->owner;
		q.run = v->run;
		if (store_series(v->store, &q, fill_series, c, c->why) < 0)
			return -1;
	}
	return 0;
}

static void
judge_candidates(struct candidates *c)
{
	size_t n = c->d->n_base + 1, i, at = 0;
	const struct course **courses = xcalloc(n, sizeof(*courses));
	struct candidate *one;

	while ((one = map_next(&c->by_key, &at)) != NULL) {
		for (i = 0; i < n; i++)
			courses[i] = &one->courses[i];
		compare_name(&c->d->comparison, one->name, one->p95, courses);
	}
	free(courses);
}

static void
candidates_release(struct candidates *c)
{
	struct candidate *one;
	size_t i, at = 0;

	while ((one = map_next(&c->by_key, &at)) != NULL) {
		for (i = 0; i <= c->d->n_base; i++)
			course_release(&one->courses[i]);
		free(one->courses);
		free(one->p95);
		free(one);
	}
	map_release(&c->by_key);
}

static int
compare_runs(struct diff *d, double min_effect, struct why *why)
{
	struct candidates c = { .d = d, .why = why };
	int status = 0;

	d->comparison = (struct comparison){ .base = d->figures,
	    .n_base = d->n_base, .run = &d->figures[d->n_base],
	    .min_effect = min_effect };
	compare_figures(&d->comparison);
	add_names(&c);
	if (c.by_key.n != 0)
		status = fill_candidates(&c);
	if (status == 0)
		judge_candidates(&c);
	candidates_release(&c);
	compare_conclude(&d->comparison);
	return status;
}

int
diff_read(struct diff *d, const struct view *v, struct why *why)
{
	int64_t base[BASELINE_MOST] = { v->base };
	int n = v->base != 0 ? 1 : baseline_find(v, base, why);
	int status = 1;
	size_t i;

	if (n <= 0)
		return n;
	d->n_base = (size_t)n;
	d->runs = xcalloc(d->n_base + 1, sizeof(*d->runs));
	d->figures = xcalloc(d->n_base + 1, sizeof(*d->figures));
	for (i = 0; i <= d->n_base; i++) {
		figures_init(&d->figures[i]);
		d->runs[i].view = *v;
		d->runs[i].view.run = i < d->n_base ? base[i] : v->run;
	}
	for (i = 0; status > 0 && i <= d->n_base; i++)
		status = read_run(d, i, why);
	return status > 0 && compare_runs(d, v->min_effect, why) < 0 ? -1 :
	    status;
}

int
view_diff(const struct view *v, struct jsn_out *o, struct why *why)
{
	struct diff d = { 0 };
	int status = diff_read(&d, v, why);

	if (status == 0 && v->base == 0 && d.n_base == 0)
		diff_put_none(o), status = 1;
	else if (status > 0)
		status = diff_put(&d, o, why) < 0 ? -1 : 1;
	diff_release(&d);
	return status < 0 ? -1 : status == 0;
}
