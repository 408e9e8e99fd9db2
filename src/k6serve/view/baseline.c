/* SPDX-License-Identifier: MIT */
/* Finds earlier runs of the same name. */
#include "k6serve/view/baseline.h"

#include <stdlib.h>

#include "base/mem.h"
#include "data/run.h"
#include "k6serve/view/criteria.h"

static int
note_name(void *ctx, const struct store_run *run)
{
	*(char **)ctx = xstrndup(run->name.p, run->name.n);
	return 1;
}

struct search {
	const struct view *v;
	const char *name;
	int64_t *runs;
	int64_t most;
	int n;
	struct why *why;
};

/* 1: it may be one to measure by; -1: why. */
static int
has_passed(const struct search *s, const struct store_run *run)
{
	struct criteria criteria = { 0 };
	enum run_verdict verdict;
	int status = criteria_read(&criteria, s->v->store, s->v->owner, run,
	    s->why);

	verdict = criteria_verdict(&criteria, run, RUN_FINISHED);
	criteria_release(&criteria);
	if (status < 0)
		return -1;
	return verdict == VERDICT_PASSED || verdict == VERDICT_NONE;
}

static int
look_at(void *ctx, const struct store_run *run)
{
	struct search *s = ctx;
	int status;

	if (run->id >= s->v->run || run->points == 0 ||
	    !span_is(run->name, s->name) ||
	    run_state(run, s->v->timeout_ns) != RUN_FINISHED)
		return 0;
	status = has_passed(s, run);
	if (status <= 0)
		return status;
	s->runs[s->n++] = run->id;
	return s->n >= s->most;
}

static int
find_passed(const struct view *v, int64_t runs[BASELINE_MOST],
    struct why *why)
{
	struct store_run_query one = { .owner = v->owner, .id = v->run };
	struct store_run_query all = { .owner = v->owner,
	    .limit = INT64_MAX };
	struct search s = { .v = v, .runs = runs, .why = why,
	    .most = v->baseline != 0 ? v->baseline : 1 };
	char *name = NULL;
	int status = store_runs(v->store, &one, note_name, &name, why);

	s.name = name;
	if (status > 0)
		status = store_runs(v->store, &all, look_at, &s, why);
	free(name);
	return status < 0 ? -1 : s.n;
}

int
baseline_find(const struct view *v, int64_t runs[BASELINE_MOST],
    struct why *why)
{
	int64_t chosen = 0;

	if (v->baseline == 0)
		chosen = store_run_baseline(v->store, v->run, why);
	if (chosen < 0)
		return -1;
	if (chosen == 0 || chosen == v->run)
		return find_passed(v, runs, why);
	runs[0] = chosen;
	return 1;
}
