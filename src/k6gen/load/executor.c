/* SPDX-License-Identifier: MIT */
/* The executors: a row for each, and what those without a clock do. */
#include "k6gen/load/executor.h"

#include "base/units.h"
#include "k6gen/load/load_state.h"

/* Those whose users begin an iteration when the last has ended. */
static void
begin_all(struct load *l)
{
	int i;

	for (i = l->n_vus; i > 0; i--)
		vu_loop_activate(l, l->begin_ns, now_monotonic_ns());
}

static int64_t
never_due(const struct load *l)
{
	(void)l;
	return INT64_MAX;
}

static bool
may_start_in_time(struct load *l, const struct vu *v, int64_t now_ns)
{
	(void)v;
	return now_ns < l->stop_ns;
}

static bool
may_start_shared(struct load *l, const struct vu *v, int64_t now_ns)
{
	(void)v;
	if (now_ns >= l->stop_ns)
		return false;
	if (__atomic_fetch_add(&l->shared->begun, 1, __ATOMIC_RELAXED) <
	    l->plan->iterations)
		return true;
	(void)__atomic_fetch_sub(&l->shared->begun, 1, __ATOMIC_RELAXED);
	return false;
}

static bool
may_start_own(struct load *l, const struct vu *v, int64_t now_ns)
{
	return v->iter < l->plan->iterations / l->plan->max_vus &&
	    may_start_shared(l, v, now_ns);
}

/* "10 looping VUs for 30s (" and the like; report adds the graceful stop. */
static void
describe_constant_vus(const struct plan *p, struct buf *out)
{
	char limit[DURATION_TEXT];

	(void)duration_print(limit, p->duration_ns);
	buf_printf(out, "%d looping VUs for %s (", p->vus, limit);
}

static void
describe_ramping_vus(const struct plan *p, struct buf *out)
{
	char limit[DURATION_TEXT], ramp_down[DURATION_TEXT];

	(void)duration_print(limit, p->duration_ns);
	(void)duration_print(ramp_down, p->ramp_down_ns);
	buf_printf(out, "Up to %d looping VUs for %s over %zu stages ("
	    "gracefulRampDown: %s, ", p->max_vus, limit, p->profile.n,
	    ramp_down);
}

static void
describe_shared(const struct plan *p, struct buf *out)
{
	char limit[DURATION_TEXT];

	(void)duration_print(limit, p->duration_ns);
	buf_printf(out, "%lld iterations shared among %d VUs (maxDuration: "
	    "%s, ", (long long)p->iterations, p->vus, limit);
}

static void
describe_per_vu(const struct plan *p, struct buf *out)
{
	char limit[DURATION_TEXT];

	(void)duration_print(limit, p->duration_ns);
	buf_printf(out, "%lld iterations for each of %d VUs (maxDuration: "
	    "%s, ", (long long)p->iterations / p->vus, p->vus, limit);
}

static void
describe_constant_rate(const struct plan *p, struct buf *out)
{
	char limit[DURATION_TEXT];

	(void)duration_print(limit, p->duration_ns);
	buf_printf(out, "%.2f iterations/s for %s (maxVUs: %d, ",
	    profile_max(&p->profile), limit, p->max_vus);
}

static void
describe_ramping_rate(const struct plan *p, struct buf *out)
{
	char limit[DURATION_TEXT];

	(void)duration_print(limit, p->duration_ns);
	buf_printf(out, "Up to %.2f iterations/s for %s over %zu stages "
	    "(maxVUs: %d, ", profile_max(&p->profile), limit, p->profile.n,
	    p->max_vus);
}

const struct executor executors[EXECUTORS] = {
	[CONSTANT_VUS] = { "constant-vus", false, describe_constant_vus,
	    begin_all, may_start_in_time, never_due, NULL },
	[RAMPING_VUS] = { "ramping-vus", false, describe_ramping_vus,
	    schedule_begin_ramp, may_start_in_time, schedule_ramp_due,
	    schedule_follow_ramp },
	[SHARED_ITERATIONS] = { "shared-iterations", false, describe_shared,
	    begin_all, may_start_shared, never_due, NULL },
	[PER_VU_ITERATIONS] = { "per-vu-iterations", false, describe_per_vu,
	    begin_all, may_start_own, never_due, NULL },
	[CONSTANT_ARRIVAL_RATE] = { "constant-arrival-rate", true,
	    describe_constant_rate, schedule_begin_starts,
	    schedule_may_start, schedule_start_due_ns, schedule_start_due },
	[RAMPING_ARRIVAL_RATE] = { "ramping-arrival-rate", true,
	    describe_ramping_rate, schedule_begin_starts,
	    schedule_may_start, schedule_start_due_ns, schedule_start_due },
};
