/* SPDX-License-Identifier: MIT */
#include "k6gen/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/die.h"
#include "base/units.h"
#include "k6gen/load_state.h"
#include "k6gen/redirect.h"

#define TELL_NS (100 * NS_PER_MS)	/* between looks at the tally */
#define STARVED_NS (100 * NS_PER_MS)	/* pause of a VU without socket */
#define DRY_NS (5 * NS_PER_MS)		/* pause of one without target */

static int64_t
min_ns(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
max_ns(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int
index_of(const struct load *l, const struct vu *v)
{
	return (int)(v - l->vus);
}

int64_t
load_number_of(const struct load *l, const struct vu *v)
{
	return (int64_t)index_of(l, v) * l->shares + l->share + 1;
}

bool
load_is_warming(const struct load *l, int64_t now_ns)
{
	return now_ns < l->begin_ns + l->plan->warm_up_ns;
}

static void
sleep_until(struct load *l, struct vu *v, int64_t ns, enum vu_next next)
{
	v->wake_ns = ns;
	v->next = next;
	wake_add(&l->wake, ns, index_of(l, v));
}

/* Whether one more iteration may begin; takes it if so. */
static bool
claim_iteration(struct load *l, const struct vu *v, int64_t now_ns)
{
	const struct plan *p = l->plan;

	if (l->is_dry || (now_ns >= l->stop_ns && !plan_is_open(p)))
		return false;
	if (p->executor == PER_VU_ITERATIONS &&
	    v->iter >= p->iterations / p->max_vus)
		return false;
	if (__atomic_fetch_add(&l->shared->begun, 1, __ATOMIC_RELAXED) <
	    p->iterations || p->iterations == 0)
		return true;
	(void)__atomic_fetch_sub(&l->shared->begun, 1, __ATOMIC_RELAXED);
	return false;
}

static void
rest(struct load *l, struct vu *v)
{
	v->state = VU_IDLE;
	v->next = VU_NOTHING;
	l->active--;
	l->idle[l->n_idle++] = index_of(l, v);
}

static void
give_back_target(struct load *l, struct vu *v)
{
	targets_done(l->plan->targets, v->target);
	v->target = NULL;
}

static void
end_iteration(struct load *l, struct vu *v, bool is_interrupted)
{
	struct swarm_bytes all = swarm_bytes(l->swarm, index_of(l, v));
	int64_t now = now_monotonic_ns();
	struct emit_iteration i = { .time_ns = now_unix_ns(),
		.duration_ns = now - v->due_ns,
		.lag_ns = plan_is_open(l->plan) ? v->begin_ns - v->due_ns :
		    -1,
		.vu = load_number_of(l, v), .iter = v->iter,
		.bytes = { all.sent - v->bytes.sent,
		    all.received - v->bytes.received },
		.is_interrupted = is_interrupted };

	v->bytes = all;
	v->iter++;
	give_back_target(l, v);
	if (!load_is_warming(l, now))
		emit_iteration(&l->emit, &i);
}

static void
send_request(struct load *l, struct vu *v, int64_t now_ns)
{
	int64_t left = v->deadline_ns - now_ns;

	v->request.timeout_ns = left > NS_PER_MS ? left : NS_PER_MS;
	swarm_send(l->swarm, index_of(l, v), &v->request);
}

/* The cap of --rps: each thread hands out its share of the slots. */
static bool
must_wait(struct load *l, struct vu *v, int64_t now_ns)
{
	int64_t slot = max_ns(l->slot_ns, now_ns);

	if (l->plan->rps <= 0)
		return false;
	l->slot_ns = slot + (int64_t)(1e9 * l->shares / l->plan->rps);
	if (slot <= now_ns)
		return false;
	sleep_until(l, v, slot, VU_SEND);
	return true;
}

static void next_iteration(struct load *l, struct vu *v);

/* No target comes any more: the run ends, this iteration did not begin. */
static void
run_dry(struct load *l, struct vu *v)
{
	l->is_dry = true;
	(void)__atomic_fetch_sub(&l->shared->begun, 1, __ATOMIC_RELAXED);
	rest(l, v);
}

static void
request_next(struct load *l, struct vu *v)
{
	struct text_values values = { .vu = load_number_of(l, v), .iter = v->iter,
		.row = v->row, .rows = &l->plan->rows, .dice = &v->dice };
	int64_t now = now_monotonic_ns();

	give_back_target(l, v);
	switch (targets_take(l->plan->targets, v->n_requests, &v->dice,
	    &v->target)) {
	case TARGETS_LATER:
		if (now < l->stop_ns) {
			sleep_until(l, v, now + DRY_NS, VU_REQUEST);
			return;
		}
		/* FALLTHROUGH */
	case TARGETS_END:
		v->target = NULL;
		run_dry(l, v);
		return;
	case TARGETS_ONE:
		break;
	}
	values.seq = __atomic_fetch_add(&l->shared->requests, 1,
	    __ATOMIC_RELAXED);
	vu_prepare(v, &values);
	v->deadline_ns = now + l->plan->timeout_ns;
	v->n_hops = 0;
	if (!must_wait(l, v, now))
		send_request(l, v, now);
}

static void
take_row(struct load *l, struct vu *v)
{
	size_t n = l->plan->rows.n;

	if (n == 0)
		return;
	if (l->plan->is_row_random)
		v->row = (size_t)dice_range(&v->dice, 0, (int64_t)n - 1);
	else
		v->row = (size_t)__atomic_fetch_add(&l->shared->rows, 1,
		    __ATOMIC_RELAXED) % n;
}

static void
begin_iteration(struct load *l, struct vu *v, int64_t due_ns, int64_t now_ns)
{
	v->state = VU_RUNNING;
	v->due_ns = due_ns;
	v->begin_ns = now_ns;
	v->n_requests = 0;
	take_row(l, v);
	swarm_forget(l->swarm, index_of(l, v));
	request_next(l, v);
}

/* The VU goes on with its next iteration, or is done. */
static void
next_iteration(struct load *l, struct vu *v)
{
	int64_t now = now_monotonic_ns();

	if (plan_is_open(l->plan) || v->is_retiring ||
	    !claim_iteration(l, v, now))
		rest(l, v);
	else
		begin_iteration(l, v, now, now);
}

void
load_activate(struct load *l, int64_t due_ns, int64_t now_ns)
{
	struct vu *v = &l->vus[l->idle[--l->n_idle]];

	if (++l->active > l->most_active)
		l->most_active = l->active;
	v->is_retiring = false;
	if (claim_iteration(l, v, now_ns))
		begin_iteration(l, v, due_ns, now_ns);
	else
		rest(l, v);
}

/* The pause of --min-iteration-duration is no part of the duration. */
static void
finish_iteration(struct load *l, struct vu *v)
{
	int64_t end = v->begin_ns + l->plan->min_iteration_ns;

	end_iteration(l, v, false);
	if (end > now_monotonic_ns())
		sleep_until(l, v, end, VU_ITERATION);
	else
		next_iteration(l, v);
}

static void
go_on(struct load *l, struct vu *v)
{
	if (++v->n_requests < targets_per_iteration(l->plan->targets))
		request_next(l, v);
	else
		finish_iteration(l, v);
}

static void
wake_up(struct load *l, struct vu *v)
{
	enum vu_next next = v->next;

	v->next = VU_NOTHING;
	switch (next) {
	case VU_NOTHING:
		break;
	case VU_SEND:
		send_request(l, v, now_monotonic_ns());
		break;
	case VU_REQUEST:
		request_next(l, v);
		break;
	case VU_GO_ON:
		go_on(l, v);
		break;
	case VU_ITERATION:
		next_iteration(l, v);
		break;
	}
}

/* Follow a redirect. False: there is none, or one too many. */
static bool
follow(struct load *l, struct vu *v, const struct swarm_reply *reply)
{
	if (!redirect_is(reply) || v->n_hops >= l->plan->max_redirects)
		return false;
	v->n_hops++;
	vu_follow(v, reply);
	send_request(l, v, now_monotonic_ns());
	return true;
}

/* This machine, not the server, refused: there was no socket. */
static bool
is_starved(const struct swarm_reply *reply)
{
	int e = reply->os_error;

	return reply->status == 0 && (e == EMFILE || e == ENFILE ||
	    e == EADDRNOTAVAIL || e == ENOBUFS);
}

/* Say it once, as the samples would blame the server. */
static void
warn_starved(struct load *l, int os_error)
{
	if (!l->is_warned)
		warnf("socket: %s: such requests count as failed%s",
		    strerror(os_error),
		    os_error == EMFILE ? " (raise ulimit -n)" : "");
	l->is_warned = true;
}

static void
emit_reply(struct load *l, struct vu *v, const struct swarm_reply *reply)
{
	struct emit_request r = { .target = v->target,
		.url = v->request.url, .method = v->request.method,
		.is_hop = v->n_hops > 0, .vu = load_number_of(l, v),
		.iter = v->iter, .reply = reply };

	if (!load_is_warming(l, now_monotonic_ns()))
		emit_request(&l->emit, &r);
}

/* Of the answer that ends a request's redirects. */
static void
emit_checks(struct load *l, const struct swarm_reply *reply)
{
	const struct plan *p = l->plan;
	size_t i;

	if (load_is_warming(l, now_monotonic_ns()))
		return;
	for (i = 0; i < p->n_checks; i++)
		emit_check(&l->emit, i, check_holds(&p->checks[i], reply));
}

static void
think(struct load *l, struct vu *v)
{
	const struct plan *p = l->plan;
	int64_t ns = p->think_min_ns;

	if (p->think_max_ns > ns)
		ns = dice_range(&v->dice, ns, p->think_max_ns);
	if (ns > 0)
		sleep_until(l, v, now_monotonic_ns() + ns, VU_GO_ON);
	else
		go_on(l, v);
}

static void
on_reply(void *ctx, const struct swarm_reply *reply)
{
	struct load *l = ctx;
	struct vu *v = &l->vus[reply->user];

	emit_reply(l, v, reply);
	if (follow(l, v, reply))
		return;
	emit_checks(l, reply);
	if (is_starved(reply)) {
		/* It would fail as fast as the processor can. */
		warn_starved(l, reply->os_error);
		sleep_until(l, v, now_monotonic_ns() + STARVED_NS, VU_GO_ON);
	} else {
		think(l, v);
	}
}

void
load_interrupt(struct load *l, struct vu *v)
{
	if (v->state == VU_IDLE)
		return;
	swarm_cancel(l->swarm, index_of(l, v));
	/* Between two iterations there is nothing to interrupt. */
	if (v->next != VU_ITERATION)
		end_iteration(l, v, true);
	rest(l, v);
}

static void
interrupt_all(struct load *l)
{
	int i;

	for (i = 0; i < l->n_vus; i++)
		load_interrupt(l, &l->vus[i]);
}

static void
note_lag(struct load *l, int64_t due_ns, int64_t now_ns)
{
	if (due_ns != INT64_MAX && now_ns - due_ns > l->lag_ns)
		l->lag_ns = now_ns - due_ns;
}

static void
wake_due(struct load *l, int64_t now_ns)
{
	int64_t ns;
	int who;

	while ((who = wake_take(&l->wake, now_ns, &ns)) >= 0)
		if (l->vus[who].state == VU_RUNNING &&
		    l->vus[who].wake_ns == ns)
			wake_up(l, &l->vus[who]);
}

/* A signal, a threshold, the clock: begin no iterations any more, cut off
 * those that still run. */
static void
heed_limits(struct load *l, int64_t now_ns)
{
	int stop = __atomic_load_n(&l->shared->stop, __ATOMIC_RELAXED);

	if (stop != LOAD_GO && !l->is_stopping) {
		l->is_stopping = true;
		l->stop_ns = min_ns(l->stop_ns, now_ns);
		l->start_ns = INT64_MAX;
		l->kill_ns = min_ns(l->kill_ns,
		    now_ns + min_ns(l->plan->graceful_ns, 30 * NS_PER_S));
	}
	if (stop == LOAD_KILL || now_ns >= l->kill_ns)
		interrupt_all(l);
}

static int64_t
thread_cpu_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Tell the others how it stands. */
static void
tell(struct load *l, int64_t now_ns, bool is_running)
{
	struct load_shared *s = l->shared;
	int active = plan_is_open(l->plan) && is_running ? l->most_active :
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

/* All that is due by the clock. */
static void
tick(struct load *l, int64_t now_ns)
{
	heed_limits(l, now_ns);
	if (l->plan->executor == RAMPING_VUS && now_ns >= l->ramp_ns)
		load_follow_ramp(l, now_ns);
	if (now_ns >= l->start_ns)
		load_start_due(l, now_ns);
	wake_due(l, now_ns);
	if (now_ns >= l->told_ns)
		tell(l, now_ns, true);
	if (l->emit.writer != NULL)
		emit_flush(&l->emit, now_ns);
}

static bool
is_over(const struct load *l, int64_t now_ns)
{
	if (l->active > 0)
		return false;
	if (l->is_dry || l->is_stopping)
		return true;
	if (plan_is_open(l->plan))
		return l->start_ns == INT64_MAX;
	return l->plan->executor != RAMPING_VUS || now_ns >= l->stop_ns;
}

static int64_t
next_due(const struct load *l)
{
	int64_t due = min_ns(wake_next_ns(&l->wake), l->start_ns);

	if (l->plan->executor == RAMPING_VUS)
		due = min_ns(due, l->ramp_ns);
	return due;
}

static void
begin(struct load *l)
{
	const struct plan *p = l->plan;
	int i;

	l->begin_ns = l->shared->begin_ns;
	l->stop_ns = l->begin_ns + p->duration_ns;
	l->kill_ns = l->stop_ns + p->graceful_ns;
	l->told_ns = l->begin_ns;
	l->cpu_ns = thread_cpu_ns();
	l->ramp_ns = l->begin_ns;
	l->start_ns = INT64_MAX;
	l->next_start = l->share;
	if (plan_is_open(p))
		l->start_ns = load_start_time(l, l->next_start);
	else if (p->executor != RAMPING_VUS)
		for (i = l->n_vus; i > 0; i--)
			load_activate(l, l->begin_ns, now_monotonic_ns());
}

int
load_run(struct load *l, struct why *why)
{
	int64_t now, due;
	int status = 0;

	/* Wake up in time: the default is 50 us late. */
	(void)prctl(PR_SET_TIMERSLACK, 1UL);
	begin(l);
	while (now = now_monotonic_ns(), tick(l, now), !is_over(l, now)) {
		due = next_due(l);
		if (swarm_wait(l->swarm, min_ns(min_ns(due, l->kill_ns),
		    min_ns(l->told_ns, emit_due_ns(&l->emit))) -
		    now_monotonic_ns(), why) < 0) {
			__atomic_store_n(&l->shared->stop, LOAD_KILL,
			    __ATOMIC_RELAXED);
			status = -1;
			break;
		}
		note_lag(l, due, now_monotonic_ns());
	}
	if (l->emit.writer != NULL && l->emit.out.n > 0)
		emit_flush(&l->emit, INT64_MAX);
	tell(l, now_monotonic_ns(), false);
	return status;
}

void
load_wake(struct load *l)
{
	swarm_wake(l->swarm);
}

void
load_free(struct load *l)
{
	int i;

	if (l == NULL)
		return;
	swarm_free(l->swarm);
	for (i = 0; i < l->n_vus; i++) {
		give_back_target(l, &l->vus[i]);
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
	l->swarm_options = p->swarm;
	l->swarm_options.n_users = l->n_vus;
	l->swarm = swarm_new(&l->swarm_options, on_reply, l, why);
	if (l->swarm != NULL)
		return l;
	load_free(l);
	return NULL;
}
