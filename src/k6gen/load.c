/* SPDX-License-Identifier: MIT */
#include "k6gen/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/units.h"
#include "io/swarm.h"
#include "k6gen/redirect.h"

struct vu {
	struct swarm_request request;	/* under way */
	char *hop_url;		/* owned: where a redirect led; or NULL */
	int url;		/* of the plan, under way */
	int64_t n_hops;		/* redirects followed from it */
	int64_t deadline_ns;	/* of the request with its redirects */
	int64_t begin_ns;	/* of the iteration */
	struct swarm_bytes bytes;	/* told of by earlier iterations */
	bool is_active;
	bool is_waiting;	/* for sockets to come free */
};

enum { STARVED_MS = 100 };	/* pause of a VU that gets no socket */

struct load {
	const struct plan *plan;
	struct emit *emit;
	struct report *report;
	struct swarm *swarm;
	struct vu *vus;
	struct progress progress;
	int64_t begin_ns;
	int64_t stop_ns;	/* no iteration begins later */
	int64_t kill_ns;	/* none goes on later */
	int64_t next_second_ns;	/* when to tell of the VUs */
	int64_t resume_ns;	/* of the waiting VUs; INT64_MAX: none is */
	bool is_warned;		/* about sockets */
};

static bool
may_begin(const struct load *l, int64_t now_ns)
{
	int64_t limit = l->plan->iterations;

	return now_ns < l->stop_ns &&
	    (limit == 0 || l->progress.begun < limit);
}

static void
send_request(struct load *l, struct vu *v, int64_t now_ns)
{
	int64_t left = v->deadline_ns - now_ns;

	v->request.timeout_ns = left > NS_PER_MS ? left : NS_PER_MS;
	swarm_send(l->swarm, (int)(v - l->vus), &v->request);
}

static void
request_url(struct load *l, struct vu *v)
{
	const struct plan *p = l->plan;
	int64_t now = now_monotonic_ns();

	v->request = (struct swarm_request){ .method = p->method,
		.url = p->urls[v->url], .body = p->body };
	v->deadline_ns = now + p->timeout_ns;
	v->n_hops = 0;
	send_request(l, v, now);
}

static void
begin_iteration(struct load *l, struct vu *v, int64_t now_ns)
{
	l->progress.begun++;
	v->begin_ns = now_ns;
	v->url = 0;
	swarm_forget(l->swarm, (int)(v - l->vus));
	request_url(l, v);
}

/* The VU is done, or goes on with its next iteration. */
static void
next_iteration(struct load *l, struct vu *v)
{
	int64_t now = now_monotonic_ns();

	if (may_begin(l, now)) {
		begin_iteration(l, v, now);
	} else {
		v->is_active = false;
		l->progress.active--;
	}
}

static void
end_iteration(struct load *l, struct vu *v, bool is_interrupted)
{
	struct swarm_bytes all = swarm_bytes(l->swarm, (int)(v - l->vus));
	struct emit_iteration i = { .time_ns = now_unix_ns(),
		.duration_ns = now_monotonic_ns() - v->begin_ns,
		.bytes = { all.sent - v->bytes.sent,
		    all.received - v->bytes.received },
		.is_interrupted = is_interrupted };

	v->bytes = all;
	emit_iteration(l->emit, &i);
	if (is_interrupted)
		l->progress.interrupted++;
	else
		l->progress.complete++;
}

/* Follow a redirect. False: there is none, or one too many. */
static bool
follow(struct load *l, struct vu *v, const struct swarm_reply *reply)
{
	char *url;

	if (!redirect_is(reply) || v->n_hops >= l->plan->max_redirects)
		return false;
	v->n_hops++;
	url = redirect_follow(&v->request, reply, l->plan->urls[v->url]);
	free(v->hop_url);
	v->hop_url = url;
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

/* Say it once, as the samples would blame the server, and let the VU wait:
 * it would fail as fast as the processor can. */
static void
hold(struct load *l, struct vu *v, int os_error)
{
	if (!l->is_warned)
		warnf("socket: %s: such requests count as failed%s",
		    strerror(os_error),
		    os_error == EMFILE ? " (raise ulimit -n)" : "");
	l->is_warned = true;
	v->is_waiting = true;
	if (l->resume_ns == INT64_MAX)
		l->resume_ns = now_monotonic_ns() + STARVED_MS * NS_PER_MS;
}

static void
next_request(struct load *l, struct vu *v)
{
	if (++v->url < l->plan->n_urls) {
		request_url(l, v);
		return;
	}
	end_iteration(l, v, false);
	next_iteration(l, v);
}

static void
resume(struct load *l)
{
	int i;

	l->resume_ns = INT64_MAX;
	for (i = 0; i < l->plan->vus; i++) {
		if (!l->vus[i].is_waiting)
			continue;
		l->vus[i].is_waiting = false;
		next_request(l, &l->vus[i]);
	}
}

static void
on_reply(void *ctx, const struct swarm_reply *reply)
{
	struct load *l = ctx;
	struct vu *v = &l->vus[reply->user];

	emit_request(l->emit, &v->request, reply);
	if (is_starved(reply))
		hold(l, v, reply->os_error);
	else if (!follow(l, v, reply))
		next_request(l, v);
}

static void
interrupt_all(struct load *l)
{
	int i;

	for (i = 0; i < l->plan->vus; i++) {
		if (!l->vus[i].is_active)
			continue;
		swarm_cancel(l->swarm, i);
		end_iteration(l, &l->vus[i], true);
		l->vus[i].is_active = l->vus[i].is_waiting = false;
		l->progress.active--;
	}
}

static int64_t
min_ns(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Signals and the clock: stop beginning iterations, cut off those that still
 * run, wake those that wait. */
static void
heed_limits(struct load *l, int64_t now_ns)
{
	if (*l->plan->n_signals > 1)
		_exit(EXIT_INTERRUPTED);
	if (*l->plan->n_signals > 0 && !l->progress.is_stopping) {
		l->progress.is_stopping = true;
		l->stop_ns = min_ns(l->stop_ns, now_ns);
		l->kill_ns = min_ns(l->kill_ns,
		    now_ns + min_ns(l->plan->graceful_ns, 30 * NS_PER_S));
		report_stopping(l->report);
	}
	if (now_ns >= l->kill_ns)
		interrupt_all(l);
	else if (now_ns >= l->resume_ns)
		resume(l);
}

/* What is due once a second, or sooner. */
static void
tick(struct load *l, int64_t now_ns)
{
	if (now_ns >= l->next_second_ns) {
		emit_vus(l->emit, l->progress.active);
		l->next_second_ns += NS_PER_S;
	}
	l->progress.elapsed_ns = now_ns - l->begin_ns;
	report_progress(l->report, &l->progress);
	emit_flush(l->emit, now_ns);
}

static void
begin(struct load *l)
{
	const struct plan *p = l->plan;
	int i;

	l->begin_ns = now_monotonic_ns();
	l->stop_ns = l->begin_ns + p->duration_ns;
	l->kill_ns = l->stop_ns + p->graceful_ns;
	l->next_second_ns = l->begin_ns + NS_PER_S;
	l->resume_ns = INT64_MAX;
	l->progress.active = p->vus;
	for (i = 0; i < p->vus; i++) {
		l->vus[i].is_active = true;
		next_iteration(l, &l->vus[i]);
	}
}

static int
loop(struct load *l, struct why *why)
{
	int64_t now, due;

	while (l->progress.active > 0) {
		now = now_monotonic_ns();
		heed_limits(l, now);
		tick(l, now);
		if (l->emit->error != 0)
			return why_set(why, "stdout: %s",
			    strerror(l->emit->error));
		if (l->progress.active == 0)
			break;
		due = min_ns(min_ns(l->next_second_ns, l->kill_ns),
		    min_ns(l->resume_ns, emit_due_ns(l->emit)));
		if (swarm_wait(l->swarm, due - now, why) < 0)
			return -1;
	}
	l->progress.elapsed_ns = now_monotonic_ns() - l->begin_ns;
	return 0;
}

static void
release(struct load *l)
{
	int i;

	swarm_free(l->swarm);
	for (i = 0; i < l->plan->vus; i++)
		free(l->vus[i].hop_url);
	free(l->vus);
}

int
load_run(const struct plan *plan, struct emit *emit, struct report *report,
    struct why *why)
{
	struct load l = { .plan = plan, .emit = emit, .report = report };
	struct swarm_options o = { .n_users = plan->vus,
		.headers = plan->headers.items,
		.n_headers = plan->headers.n, .user_agent = plan->user_agent,
		.ca_file = getenv("SSL_CERT_FILE"),
		.is_insecure = plan->is_insecure };
	int status = EXIT_FAILED;

	l.vus = xcalloc((size_t)plan->vus, sizeof(*l.vus));
	l.swarm = swarm_new(&o, on_reply, &l, why);
	if (l.swarm != NULL) {
		emit_start(emit);
		begin(&l);
		if (loop(&l, why) == 0)
			status = *plan->n_signals > 0 ? EXIT_INTERRUPTED :
			    EXIT_DONE;
		emit_end(emit, status);
		report_end(report, &l.progress, emit);
	}
	release(&l);
	if (status != EXIT_FAILED && emit->error != 0) {
		(void)why_set(why, "stdout: %s", strerror(emit->error));
		status = EXIT_FAILED;
	}
	return status;
}
