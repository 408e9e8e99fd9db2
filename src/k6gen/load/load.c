/* SPDX-License-Identifier: MIT */
/* One thread's share of the load: its loop, its limits, and what it reports to
 * the other threads. */
#include "k6gen/load/load.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/units.h"
#include "k6gen/load/load_state.h"

#define TELL_NS (100 * NS_PER_MS)	/* between looks at the tally */

static void
interrupt_all(struct load *l)
{
	int i;

	for (i = 0; i < l->n_vus; i++)
		vu_loop_interrupt(l, &l->vus[i]);
}

static void
wake_due(struct load *l, int64_t now_ns)
{
	int64_t ns;
	int who;

	while ((who = wake_take(&l->wake, now_ns, &ns)) >= 0)
		if (l->vus[who].state == VU_RUNNING &&
		    l->vus[who].wake_ns == ns)
			vu_loop_wake(l, &l->vus[who]);
}

/* A signal or a threshold: begin no iterations any more. True: cut off those
 * that still run, at once or as their time is over. */
static bool
must_interrupt(struct load *l, int64_t now_ns)
{
	int stop = __atomic_load_n(&l->shared->stop, __ATOMIC_RELAXED);

	if (stop != LOAD_GO && !l->is_stopping) {
		l->is_stopping = true;
		l->stop_ns = min_ns(l->stop_ns, now_ns);
		l->start_ns = INT64_MAX;
		l->kill_ns = min_ns(l->kill_ns,
		    now_ns + min_ns(l->plan->graceful_ns, 30 * NS_PER_S));
	}
	return stop == LOAD_KILL || now_ns >= l->kill_ns;
}

static int64_t
thread_cpu_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Add to what all threads share. */
static void
publish_state(struct load *l, int64_t now_ns, bool is_running)
{
	struct load_shared *s = l->shared;
	int active = l->plan->executor->is_open && is_running ? l->most_active :
	    l->active;
	int64_t cpu_ns = thread_cpu_ns(), wall_ns = now_ns - l->told_ns +
	    TELL_NS;
	double percent = wall_ns > 0 ? 100 * (double)(cpu_ns - l->cpu_ns) /
	    (double)wall_ns : 0;

	(void)pthread_mutex_lock(&s->lock);
	tally_move(&s->tally, &l->emit.tally);
	s->active += active - l->told_active;
	if (!is_running) {
		s->running--;
		s->end_ns = max_ns(s->end_ns, now_ns);
		(void)pthread_cond_signal(&s->ended);
	}
	s->lag_ns = max_ns(s->lag_ns, l->lag_ns);
	if (percent > s->cpu_percent)
		s->cpu_percent = percent < 100 ? percent : 100;
	(void)pthread_mutex_unlock(&s->lock);
	l->told_active = active;
	l->cpu_ns = cpu_ns;
	l->lag_ns = 0;
	l->told_ns = now_ns + TELL_NS;
}

/* All that is due by the clock, in its order: a late start finds no VU that
 * was busy until the end of the run. */
static void
do_due(struct load *l, int64_t now_ns)
{
	bool is_cut = must_interrupt(l, now_ns);

	if (now_ns >= l->plan->executor->next_due(l))
		l->plan->executor->start_due(l, now_ns);
	if (is_cut)
		interrupt_all(l);
	wake_due(l, now_ns);
	if (now_ns >= l->told_ns)
		publish_state(l, now_ns, true);
	if (l->emit.writer != NULL)
		emit_flush(&l->emit, now_ns);
}

static bool
is_over(const struct load *l)
{
	return l->active == 0 && (l->is_dry || l->is_stopping ||
	    l->plan->executor->next_due(l) == INT64_MAX);
}

/* Some time is always due, so that it shows how late the thread is also where
 * nothing but answers makes it go on. */
static int64_t
next_due(const struct load *l)
{
	return min_ns(l->told_ns, min_ns(wake_next_ns(&l->wake),
	    l->plan->executor->next_due(l)));
}

static void
begin_run(struct load *l)
{
	const struct plan *p = l->plan;

	l->begin_ns = l->shared->begin_ns;
	l->stop_ns = l->begin_ns + p->duration_ns;
	l->kill_ns = l->stop_ns + p->graceful_ns;
	l->told_ns = l->begin_ns;
	l->cpu_ns = thread_cpu_ns();
	p->executor->begin(l);
}

int
load_run(struct load *l, struct why *why)
{
	int64_t now, due;
	int status = 0;

	/* Wake up in time: the default is 50 us late. */
	(void)prctl(PR_SET_TIMERSLACK, 1UL);
	begin_run(l);
	now = now_monotonic_ns();
	while (do_due(l, now), !is_over(l)) {
		due = next_due(l);
		if (client_wait(l->client, min_ns(min_ns(due, l->kill_ns),
		    emit_due_ns(&l->emit)) - now_monotonic_ns(), why) < 0) {
			__atomic_store_n(&l->shared->stop, LOAD_KILL,
			    __ATOMIC_RELAXED);
			status = -1;
			break;
		}
		now = now_monotonic_ns();
		load_note_lag(l, now - due);
	}
	if (l->emit.writer != NULL && l->emit.out.n > 0)
		emit_flush(&l->emit, INT64_MAX);
	publish_state(l, now_monotonic_ns(), false);
	return status;
}

void
load_wake(struct load *l)
{
	client_wake(l->client);
}

void
load_free(struct load *l)
{
	int i;

	if (l == NULL)
		return;
	client_free(l->client);
	for (i = 0; i < l->n_vus; i++) {
		vu_loop_give_back_target(l, &l->vus[i]);
		vu_release(&l->vus[i]);
	}
	emit_release(&l->emit);
	wake_release(&l->wake);
	free(l->vus);
	free(l->idle);
	free(l);
}

struct load *
load_new(struct load_shared *shared, struct writer *writer, int i, int n,
    struct why *why)
{
	struct load *l = xcalloc(1, sizeof(*l));
	const struct plan *p = shared->plan;
	int v;

	*l = (struct load){ .shared = shared, .plan = p, .share = i,
		.shares = n, .n_vus = (p->max_vus - i + n - 1) / n };
	l->vus = xcalloc((size_t)l->n_vus, sizeof(*l->vus));
	l->idle = xcalloc((size_t)l->n_vus, sizeof(*l->idle));
	for (v = l->n_vus - 1; v >= 0; v--) {
		l->idle[l->n_idle++] = v;
		l->vus[v].dice.state = p->seed +
		    (uint64_t)load_number_of(l, &l->vus[v]) * 0x10001;
	}
	emit_init(&l->emit, p, writer, &shared->errors_left);
	l->client = client_new(&p->http, l->n_vus, vu_loop_on_reply, l, why);
	if (l->client != NULL)
		return l;
	load_free(l);
	return NULL;
}
