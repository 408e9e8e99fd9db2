/* SPDX-License-Identifier: MIT */
/* What one virtual user does: its iterations, requests and pauses. */
#include <errno.h>
#include <string.h>

#include "base/die.h"
#include "base/units.h"
#include "k6gen/http/redirect.h"
#include "k6gen/load/load_state.h"

#define STARVED_NS (100 * NS_PER_MS)	/* pause of a VU without socket */
#define DRY_NS (5 * NS_PER_MS)		/* pause of one without target */
#define LATE_NS NS_PER_MS		/* any process is as late as that */

static void
sleep_until(struct load *l, struct vu *v, int64_t ns, enum vu_next next)
{
	v->wake_ns = ns;
	v->next = next;
	wake_add(&l->wake, ns, load_index_of(l, v));
}

/* Whether one more iteration may begin; takes it if so. */
static bool
claim_iteration(struct load *l, const struct vu *v, int64_t now_ns)
{
	return !l->is_dry && l->plan->executor->may_start(l, v, now_ns);
}

static void
make_idle(struct load *l, struct vu *v)
{
	v->state = VU_IDLE;
	v->next = VU_NOTHING;
	l->active--;
	l->idle[l->n_idle++] = load_index_of(l, v);
}

void
vu_loop_give_back_target(struct load *l, struct vu *v)
{
	targets_done(l->plan->targets, v->target);
	v->target = NULL;
}

/* Our own delays in the iteration are no part of its duration, nor does it end
 * later for the last one. Where iterations do not begin by the clock, those
 * that matter. */
static void
note_delay(struct vu *v, int64_t ns)
{
	v->late_ns += ns;
	v->end_late_ns = ns;
}

static bool
is_delay_told(const struct load *l, const struct vu *v)
{
	return l->plan->executor->is_open || v->late_ns >= LATE_NS;
}

static void
end_iteration(struct load *l, struct vu *v, bool is_interrupted)
{
	struct http_bytes all = client_bytes(l->client, load_index_of(l, v));
	bool is_told = is_delay_told(l, v);
	int64_t delay = v->waited_ns + (is_told ? v->late_ns : 0);
	int64_t now, wall;
	struct emit_iteration i;

	if (l->offset_ns != 0) {
		now = now_monotonic_ns();
		wall = now + l->offset_ns;
	} else {
		now_both_ns(&now, &wall);
	}
	i = (struct emit_iteration){
		.time_ns = wall - (is_told ? v->end_late_ns : 0),
		.duration_ns = now - v->due_ns - delay,
		.lag_ns = l->plan->executor->is_open || delay > 0 ?
		    v->begin_ns - v->due_ns + delay : -1,
		.vu = load_number_of(l, v), .iter = v->iter,
		.bytes = { all.sent - v->bytes.sent,
		    all.received - v->bytes.received },
		.is_interrupted = is_interrupted };

	v->bytes = all;
	v->iter++;
	vu_loop_give_back_target(l, v);
	if (!load_is_warming(l))
		emit_iteration(&l->emit, &i);
}

static void
send_request(struct load *l, struct vu *v, int64_t now_ns)
{
	int64_t left = v->deadline_ns - now_ns;

	v->request.timeout_ns = left > NS_PER_MS ? left : NS_PER_MS;
	client_send(l->client, load_index_of(l, v), &v->request);
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
	v->waited_ns += slot - now_ns;
	v->deadline_ns += slot - now_ns;
	sleep_until(l, v, slot, VU_SEND);
	return true;
}

static void next_iteration(struct load *l, struct vu *v);

/* No target comes any more: the run ends, this iteration did not begin. */
static void
run_dry(struct load *l, struct vu *v)
{
	l->is_dry = true;
	if (l->plan->iterations > 0)
		(void)__atomic_fetch_sub(&l->shared->begun, 1,
		    __ATOMIC_RELAXED);
	make_idle(l, v);
}

static void
request_next(struct load *l, struct vu *v, int64_t now)
{
	struct text_values values = { .vu = load_number_of(l, v),
		.iter = v->iter, .row = v->row, .rows = l->plan->rows,
		.dice = &v->dice };

	vu_loop_give_back_target(l, v);
	switch (targets_take(l->plan->targets, v->n_requests, &v->dice,
	    &v->target)) {
	case TARGETS_LATER:
		if (now < l->stop_ns) {
			v->waited_ns += DRY_NS;
			l->emit.tally.starved += !v->is_starved;
			v->is_starved = true;
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
	size_t n = l->plan->rows->n;

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
	v->waited_ns = v->late_ns = v->end_late_ns = 0;
	v->is_starved = false;
	v->n_requests = 0;
	take_row(l, v);
	client_forget_cookies(l->client, load_index_of(l, v));
	request_next(l, v, now_ns);
}

/* The VU goes on with its next iteration, or is done. */
static void
next_iteration(struct load *l, struct vu *v)
{
	int64_t now = now_monotonic_ns();

	if (l->plan->executor->is_open || v->is_retiring ||
	    !claim_iteration(l, v, now))
		make_idle(l, v);
	else
		begin_iteration(l, v, now, now);
}

void
vu_loop_activate(struct load *l, int64_t due_ns, int64_t now_ns)
{
	struct vu *v = &l->vus[l->idle[--l->n_idle]];

	if (++l->active > l->most_active)
		l->most_active = l->active;
	v->is_retiring = false;
	if (claim_iteration(l, v, now_ns))
		begin_iteration(l, v, due_ns, now_ns);
	else
		make_idle(l, v);
}

/* The pause of --min-iteration-duration is no part of the duration. */
static void
finish_iteration(struct load *l, struct vu *v)
{
	int64_t pause = l->plan->min_iteration_ns, end = v->begin_ns + pause;

	end_iteration(l, v, false);
	if (pause > 0 && end > now_monotonic_ns())
		sleep_until(l, v, end, VU_ITERATION);
	else
		next_iteration(l, v);
}

static void
next_request(struct load *l, struct vu *v)
{
	if (++v->n_requests < targets_per_iteration(l->plan->targets))
		request_next(l, v, now_monotonic_ns());
	else
		finish_iteration(l, v);
}

void
vu_loop_wake(struct load *l, struct vu *v)
{
	enum vu_next next = v->next;

	v->next = VU_NOTHING;
	note_delay(v, now_monotonic_ns() - v->wake_ns);
	switch (next) {
	case VU_NOTHING:
		break;
	case VU_SEND:
		send_request(l, v, now_monotonic_ns());
		break;
	case VU_REQUEST:
		request_next(l, v, now_monotonic_ns());
		break;
	case VU_NEXT:
		next_request(l, v);
		break;
	case VU_ITERATION:
		next_iteration(l, v);
		break;
	}
}

/* Follow a redirect. False: there is none, or one too many. */
static bool
follow_redirect(struct load *l, struct vu *v, const struct http_reply *reply)
{
	int64_t now;

	if (!redirect_is(reply) || v->n_hops >= l->plan->max_redirects)
		return false;
	v->n_hops++;
	vu_follow(v, reply);
	now = now_monotonic_ns();
	if (!must_wait(l, v, now))
		send_request(l, v, now);
	return true;
}

/* This machine, not the server, refused: there was no socket. */
static bool
is_starved(const struct http_reply *reply)
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
emit_reply(struct load *l, struct vu *v, const struct http_reply *reply)
{
	struct emit_request r = { .name = v->target->name,
		.tags = v->target->tags, .n_tags = v->target->n_tags,
		.url = v->request.url, .method = v->request.method,
		.vu = load_number_of(l, v), .iter = v->iter, .reply = reply };

	if (!load_is_warming(l))
		emit_request(&l->emit, &r);
}

/* Of the answer that ends a request's redirects. */
static void
emit_checks(struct load *l, const struct http_reply *reply)
{
	const struct plan *p = l->plan;
	size_t i;

	if (p->n_checks == 0 || load_is_warming(l))
		return;
	for (i = 0; i < p->n_checks; i++)
		emit_check(&l->emit, i, check_holds(&p->checks[i], reply));
}

static void
pause_after_request(struct load *l, struct vu *v)
{
	const struct plan *p = l->plan;
	int64_t ns = p->think_min_ns;

	if (p->think_max_ns > ns)
		ns = dice_range(&v->dice, ns, p->think_max_ns);
	if (ns > 0)
		sleep_until(l, v, now_monotonic_ns() + ns, VU_NEXT);
	else
		next_request(l, v);
}

void
vu_loop_on_reply(void *ctx, const struct http_reply *reply)
{
	struct load *l = ctx;
	struct vu *v = &l->vus[reply->user];

	emit_reply(l, v, reply);
	note_delay(v, reply->late_ns);
	load_note_lag(l, reply->late_ns);
	if (follow_redirect(l, v, reply))
		return;
	emit_checks(l, reply);
	if (is_starved(reply)) {
		/* It would fail as fast as the processor can. */
		warn_starved(l, reply->os_error);
		sleep_until(l, v, now_monotonic_ns() + STARVED_NS, VU_NEXT);
		return;
	}
	l->offset_ns = reply->offset_ns;
	pause_after_request(l, v);
	l->offset_ns = 0;
}

void
vu_loop_interrupt(struct load *l, struct vu *v)
{
	struct http_reply reply;

	if (v->state == VU_IDLE)
		return;
	/* A second signal or a threshold ends what may still be answered. */
	if (__atomic_load_n(&l->shared->stop, __ATOMIC_RELAXED) ==
	    LOAD_KILL) {
		client_cancel(l->client, load_index_of(l, v));
	} else if (client_abandon(l->client, load_index_of(l, v), &reply)) {
		l->emit.tally.unanswered++;
		emit_reply(l, v, &reply);
	}
	/* Between two iterations there is nothing to interrupt. */
	if (v->next != VU_ITERATION)
		end_iteration(l, v, true);
	make_idle(l, v);
}
