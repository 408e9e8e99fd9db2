/* SPDX-License-Identifier: MIT */
/* load_state: a share from the inside, for the parts of load alone. */
#ifndef K6PIPE_K6GEN_LOAD_LOAD_STATE_H
#define K6PIPE_K6GEN_LOAD_LOAD_STATE_H

#include "base/units.h"
#include "k6gen/http/client.h"
#include "k6gen/load/load.h"
#include "k6gen/load/vu.h"
#include "k6gen/load/wake.h"

struct load {
	struct load_shared *shared;
	const struct plan *plan;
	int share, shares;
	struct emit emit;
	struct client *client;	/* makes the requests */
	struct vu *vus;
	int n_vus;
	int *idle;		/* VUs without iteration, the last one first */
	int n_idle;
	struct wake wake;
	int active, told_active;
	int most_active;	/* VUs that a rate has needed so far */
	bool is_stopping, is_dry;	/* by a signal; stdin is at its end */
	bool is_warned;		/* about sockets */
	int64_t begin_ns;
	int64_t stop_ns;	/* no iteration begins later */
	int64_t kill_ns;	/* none goes on later */
	int64_t told_ns;	/* when to look at the tally again */
	int64_t cpu_ns;		/* used when it was told last */
	int64_t lag_ns;		/* longest since */
	int64_t next_start;	/* by the clock: its number */
	int64_t start_ns;	/* and its time; INT64_MAX: no more */
	int64_t offset_ns;	/* of the wall clock, while a reply is seen to;
				   0: not known */
	int64_t slot_ns;	/* earliest next request, of --rps */
	int64_t ramp_ns;	/* when to look at the ramp again */
};

/* The VU's place in vus; that many others come before it. */
static inline int
load_index_of(const struct load *l, const struct vu *v)
{
	return (int)(v - l->vus);
}

/* The number of a VU in the run, from 1 as in k6. */
static inline int64_t
load_number_of(const struct load *l, const struct vu *v)
{
	return (int64_t)load_index_of(l, v) * l->shares + l->share + 1;
}

/* Whether samples are discarded yet. */
static inline bool
load_is_warming(const struct load *l)
{
	return l->plan->warm_up_ns > 0 &&
	    now_monotonic_ns() < l->begin_ns + l->plan->warm_up_ns;
}

/* The thread was that late with something. */
static inline void
load_note_lag(struct load *l, int64_t ns)
{
	if (ns > l->lag_ns)
		l->lag_ns = ns;
}

/* vu_loop: let the idle VU on top begin an iteration that was due at due_ns,
 * if one may begin. */
void vu_loop_activate(struct load *l, int64_t due_ns, int64_t now_ns);

/* Cut a VU's iteration off, if it has one. */
void vu_loop_interrupt(struct load *l, struct vu *v);

/* The VU's pause is over: it does what comes next. */
void vu_loop_wake(struct load *l, struct vu *v);

/* The VU's target is done with, if it has one. */
void vu_loop_give_back_target(struct load *l, struct vu *v);

/* For the client: ctx is the load. */
void vu_loop_on_reply(void *ctx, const struct http_reply *reply);

/* schedule: the functions of executors that go by a clock. VUs below a ramp's
 * target run; those above end, in their own time at first. Of a rate, the
 * iterations for which no VU is free are dropped, as in k6. */
void schedule_begin_ramp(struct load *l);
int64_t schedule_ramp_due(const struct load *l);
void schedule_follow_ramp(struct load *l, int64_t now_ns);
void schedule_begin_starts(struct load *l);
bool schedule_may_start(struct load *l, const struct vu *v, int64_t now_ns);
int64_t schedule_start_due_ns(const struct load *l);
void schedule_start_due(struct load *l, int64_t now_ns);

static inline int64_t
min_ns(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int64_t
max_ns(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

#endif
