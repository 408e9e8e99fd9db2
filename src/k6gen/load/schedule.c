/* SPDX-License-Identifier: MIT */
/* When users run by the clock: ramps of users, and iterations that begin at
 * their times. */
#include <math.h>

#include "base/units.h"
#include "k6gen/load/load_state.h"

#define RAMP_NS (5 * NS_PER_MS)		/* between looks at a ramp */

void
schedule_begin_ramp(struct load *l)
{
	l->ramp_ns = l->begin_ns;
}

int64_t
schedule_ramp_due(const struct load *l)
{
	return l->ramp_ns;
}

/* How many VUs the ramp wants: k6 adds one when the line has reached it, and
 * takes it away when the line has left it. */
static int
ramp_target(const struct load *l, int64_t now_ns)
{
	double at = profile_at(&l->plan->profile, now_ns - l->begin_ns);
	double soon = profile_at(&l->plan->profile,
	    now_ns - l->begin_ns + NS_PER_US);

	if (now_ns >= l->stop_ns)
		return 0;
	return (int)(soon < at ? ceil(at) : floor(at + 1e-9));
}

static void
retire_vu(struct load *l, struct vu *v, int64_t now_ns)
{
	v->is_retiring = true;
	v->kill_ns = now_ns + l->plan->ramp_down_ns;
}

void
schedule_follow_ramp(struct load *l, int64_t now_ns)
{
	int target = l->is_stopping ? 0 : ramp_target(l, now_ns), i;
	struct vu *v;
	bool is_wanted;

	l->n_idle = 0;
	for (i = 0; i < l->n_vus; i++) {
		v = &l->vus[i];
		is_wanted = load_number_of(l, v) <= target;
		if (v->state == VU_IDLE) {
			l->idle[l->n_idle++] = i;
			if (is_wanted && now_ns < l->stop_ns)
				vu_loop_activate(l, now_ns, now_ns);
		} else if (is_wanted) {
			v->is_retiring = false;
		} else if (!v->is_retiring) {
			retire_vu(l, v, now_ns);
		} else if (now_ns >= v->kill_ns && now_ns < l->stop_ns) {
			vu_loop_interrupt(l, v);
		}
	}
	/* Once more at the end, which is not late then. */
	l->ramp_ns = now_ns >= l->stop_ns ? INT64_MAX :
	    min_ns(now_ns + RAMP_NS, l->stop_ns);
}

/* When a start is due; INT64_MAX: it is none of the run. */
static int64_t
start_time(const struct load *l, int64_t start)
{
	int64_t ns = profile_when(&l->plan->profile, (double)start);

	return ns == INT64_MAX ? ns : l->begin_ns + ns;
}

void
schedule_begin_starts(struct load *l)
{
	l->next_start = l->share;
	l->start_ns = start_time(l, l->next_start);
}

int64_t
schedule_start_due_ns(const struct load *l)
{
	return l->start_ns;
}

bool
schedule_may_start(struct load *l, const struct vu *v, int64_t now_ns)
{
	(void)l, (void)v, (void)now_ns;
	return true;
}

void
schedule_start_due(struct load *l, int64_t now_ns)
{
	int64_t n_dropped = 0;

	while (l->start_ns <= now_ns && l->start_ns < l->stop_ns &&
	    !l->is_dry) {
		if (l->n_idle > 0)
			vu_loop_activate(l, l->start_ns, now_monotonic_ns());
		else
			n_dropped++;
		l->next_start += l->shares;
		l->start_ns = start_time(l, l->next_start);
	}
	/* Once more at the end: the run lasts its whole time, as in k6. */
	if (l->start_ns >= l->stop_ns)
		l->start_ns = now_ns < l->stop_ns && !l->is_dry ?
		    l->stop_ns : INT64_MAX;
	if (n_dropped > 0 && !load_is_warming(l))
		emit_dropped(&l->emit, n_dropped, now_unix_ns());
}
