/* SPDX-License-Identifier: MIT */
/* A whole run: its threads, what they report each second, and its end. */
#include "k6gen/run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/die.h"
#include "base/thread.h"
#include "base/units.h"
#include "k6gen/load/load.h"
#include "k6gen/samples/emit.h"
#include "k6gen/samples/writer.h"
#include "k6gen/targets/targets.h"

#define LOOK_NS (50 * NS_PER_MS)	/* between looks at everything */
#define JUDGE_NS (2 * NS_PER_S)		/* between looks at thresholds (k6) */

struct worker {
	pthread_t thread;
	struct load *load;
	struct why why;
	int status;
	bool is_started;
};

struct run {
	const struct plan *plan;
	struct report *report;
	const volatile sig_atomic_t *n_signals;
	struct buf declarations[EMITTED];
	struct writer *writer;
	struct load_shared shared;
	struct emit emit;	/* of this thread */
	struct worker *workers;
	struct tally tally;	/* of all, as it was looked at last */
	struct progress progress;
	bool *failed;		/* as the plan's thresholds */
	bool is_stopping, is_aborted;	/* by a signal; by a threshold */
	int64_t next_second_ns, next_judge_ns;	/* since the begin */
};

static void *
run_worker(void *ctx)
{
	struct worker *w = ctx;

	w->status = load_run(w->load, &w->why);
	return NULL;
}

static int
start_workers(struct run *r, struct why *why)
{
	int i, status = 0;

	r->shared.begin_ns = now_monotonic_ns();
	for (i = 0; i < r->plan->threads && status == 0; i++) {
		r->shared.running++;
		if (pthread_create(&r->workers[i].thread, NULL, run_worker,
		    &r->workers[i]) == 0) {
			r->workers[i].is_started = true;
			continue;
		}
		r->shared.running--;
		status = why_set(why, "cannot start a thread");
	}
	return status;
}

static void
stop_workers(struct run *r, enum load_stop how)
{
	int i;

	if (r->shared.stop >= (int)how)
		return;
	__atomic_store_n(&r->shared.stop, (int)how, __ATOMIC_RELAXED);
	for (i = 0; i < r->plan->threads; i++)
		load_wake(r->workers[i].load);
}

static double
seconds(const struct run *r)
{
	int64_t ns = r->progress.elapsed_ns - r->plan->warm_up_ns;

	return ns > 0 ? (double)ns / 1e9 : 0;
}

/* Take what the threads have told. Returns how many still run. */
static int
collect_state(struct run *r)
{
	int running;
	int64_t end_ns;

	(void)pthread_mutex_lock(&r->shared.lock);
	tally_move(&r->tally, &r->shared.tally);
	r->progress.active = r->shared.active;
	running = r->shared.running;
	end_ns = running > 0 ? now_monotonic_ns() : r->shared.end_ns;
	(void)pthread_mutex_unlock(&r->shared.lock);
	tally_move(&r->tally, &r->emit.tally);
	r->progress.elapsed_ns = end_ns - r->shared.begin_ns;
	if (r->writer != NULL)
		r->progress.stalled_ns = writer_stalled_ns(r->writer);
	return running;
}

static void
judge_thresholds(struct run *r, bool is_over)
{
	bool (*holds)(const struct threshold *, const struct sink *, double) =
	    is_over ? threshold_held : threshold_holds;
	const struct limit *l;
	const struct threshold *t;
	size_t i;

	for (i = 0; i < r->plan->n_limits; i++) {
		l = &r->plan->limits[i];
		t = &l->threshold;
		r->failed[i] = !holds(t, tally_sink(&r->tally, l),
		    seconds(r));
		/* What is over cannot be aborted. */
		if (r->failed[i] && t->aborts && !r->is_aborted && !is_over &&
		    r->progress.elapsed_ns >= t->delay_ns) {
			r->is_aborted = true;
			warnf("threshold %.*s: %.*s was crossed: aborting",
			    (int)t->key.text.n, t->key.text.p,
			    (int)t->source.n, t->source.p);
			stop_workers(r, LOAD_KILL);
		}
	}
}

/* Samples that come once a second. */
static void
emit_this_second(struct run *r)
{
	struct emit_second s = { .active = r->progress.active,
		.vus_max = r->plan->max_vus };

	(void)pthread_mutex_lock(&r->shared.lock);
	s.lag_ns = r->shared.lag_ns;
	s.cpu_percent = r->shared.cpu_percent;
	r->shared.lag_ns = 0;
	r->shared.cpu_percent = 0;
	(void)pthread_mutex_unlock(&r->shared.lock);
	if (r->progress.elapsed_ns < r->plan->warm_up_ns)
		return;
	emit_second(&r->emit, &s);
	report_second(r->report, s.cpu_percent, s.lag_ns);
}

static void
heed_signals(struct run *r)
{
	if (*r->n_signals == 0 || r->is_stopping)
		return;
	r->is_stopping = true;
	report_stopping(r->report);
	stop_workers(r, LOAD_STOP);
}

/* Until a thread is done, or LOOK_NS are over. */
static void
wait_a_bit(struct run *r)
{
	int64_t ns = now_monotonic_ns() + LOOK_NS;

	(void)pthread_mutex_lock(&r->shared.lock);
	if (r->shared.running > 0)
		(void)thread_wait_until(&r->shared.ended, &r->shared.lock,
		    ns);
	(void)pthread_mutex_unlock(&r->shared.lock);
}

static void
watch_workers(struct run *r)
{
	while (collect_state(r) > 0) {
		heed_signals(r);
		if (r->writer != NULL && writer_error(r->writer) != 0)
			stop_workers(r, LOAD_KILL);
		if (r->progress.elapsed_ns >= r->next_second_ns) {
			emit_this_second(r);
			r->next_second_ns += NS_PER_S;
		}
		if (r->progress.elapsed_ns >= r->next_judge_ns) {
			judge_thresholds(r, false);
			r->next_judge_ns += JUDGE_NS;
		}
		report_progress(r->report, &r->progress, &r->tally);
		if (r->writer != NULL)
			emit_flush(&r->emit, now_monotonic_ns());
		wait_a_bit(r);
	}
}

/* Iterations that the time did not suffice for. */
static void
emit_unbegun(struct run *r)
{
	const struct plan *p = r->plan;
	int64_t left = p->iterations - r->shared.begun;

	if (p->iterations > 0 && left > 0 && !r->is_stopping &&
	    !r->is_aborted && r->progress.elapsed_ns >= p->duration_ns)
		emit_dropped(&r->emit, left, now_unix_ns());
}

static int
join_workers(struct run *r, struct why *why)
{
	int i, status = 0;

	for (i = 0; i < r->plan->threads; i++) {
		if (!r->workers[i].is_started)
			continue;
		(void)pthread_join(r->workers[i].thread, NULL);
		if (r->workers[i].status < 0)
			status = why_set(why, "%s", r->workers[i].why.text);
	}
	return status;
}

static enum run_status
state_of(const struct run *r, int status)
{
	if (r->is_aborted)
		return RUN_ABORTED_BY_THRESHOLD;
	if (status == EXIT_INTERRUPTED)
		return RUN_ABORTED_BY_USER;
	return status == EXIT_FAILED ? RUN_ABORTED_BY_SYSTEM : RUN_FINISHED;
}

static bool
has_failed(const struct run *r)
{
	size_t i;

	for (i = 0; i < r->plan->n_limits; i++)
		if (r->failed[i])
			return true;
	return false;
}

/* What the run of a status comes to if its targets were bad: the End line has
 * the status that the tool exits with. */
static int
judge_targets(const struct run *r, int status, enum run_status *state,
    struct why *why)
{
	int64_t n_bad = targets_bad(r->plan->targets);

	if (status == EXIT_DONE && n_bad == 0 &&
	    targets_were_none(r->plan->targets)) {
		(void)why_set(why, "stdin: no targets");
		status = EXIT_FAILED;
	}
	*state = state_of(r, status);
	if (status != EXIT_DONE || n_bad == 0)
		return status;
	(void)why_set(why, "stdin: %lld bad target%s skipped",
	    (long long)n_bad, n_bad == 1 ? " was" : "s were");
	return EXIT_FAILED;
}

/* Judge a last time, tell how it ended, write out the rest. */
static int
finish_run(struct run *r, int status, struct why *why)
{
	struct summary s = { .tally = &r->tally, .failed = r->failed,
		.has_color = r->report->has_color,
		.has_histogram = r->report->has_histogram,
		.columns = r->report->columns };
	enum run_status state;
	int error = 0;

	emit_unbegun(r);
	(void)collect_state(r);
	/* For the last, incomplete second. */
	if (r->progress.elapsed_ns >= r->plan->warm_up_ns)
		report_second(r->report, 0, r->shared.lag_ns);
	judge_thresholds(r, true);
	if (status == EXIT_DONE && *r->n_signals > 0)
		status = EXIT_INTERRUPTED;
	if ((status == EXIT_DONE || r->is_aborted) && has_failed(r))
		status = EXIT_THRESHOLD;
	status = judge_targets(r, status, &state, why);
	emit_end(&r->emit, &r->tally, status, state, r->failed);
	if (r->writer != NULL)
		error = writer_end(r->writer);
	r->progress.is_over = true;
	r->progress.is_interrupted = r->is_stopping || r->is_aborted;
	s.seconds = seconds(r);
	if (report_end(r->report, &r->progress, &s, why) < 0)
		status = EXIT_FAILED;
	if (error != 0) {
		(void)why_set(why, "%s: %s", r->plan->output,
		    strerror(error));
		status = EXIT_FAILED;
	}
	return status;
}

static int
prepare_run(struct run *r, struct why *why)
{
	const struct plan *p = r->plan;
	int i;

	(void)pthread_mutex_init(&r->shared.lock, NULL);
	(void)pthread_cond_init(&r->shared.ended, NULL);
	r->shared.plan = p;
	r->shared.errors_left = p->sample_errors;
	tally_init(&r->shared.tally, p);
	tally_init(&r->tally, p);
	r->failed = xcalloc(p->n_limits, sizeof(*r->failed));
	r->workers = xcalloc((size_t)p->threads, sizeof(*r->workers));
	emit_declarations(p, r->declarations);
	if (p->has_output) {
		r->writer = writer_new(r->declarations, why);
		if (r->writer == NULL)
			return -1;
	}
	emit_init(&r->emit, p, r->writer, &r->shared.errors_left);
	for (i = 0; i < p->threads; i++) {
		r->workers[i].load = load_new(&r->shared, r->writer, i,
		    p->threads, why);
		if (r->workers[i].load == NULL)
			return -1;
	}
	return 0;
}

static void
release_run(struct run *r)
{
	int i;

	for (i = 0; i < r->plan->threads; i++)
		load_free(r->workers[i].load);
	if (r->emit.plan != NULL)
		emit_release(&r->emit);
	writer_free(r->writer);
	for (i = 0; i < EMITTED; i++)
		buf_release(&r->declarations[i]);
	tally_release(&r->tally);
	tally_release(&r->shared.tally);
	free(r->failed);
	free(r->workers);
}

int
run_plan(const struct plan *plan, struct report *report,
    const volatile sig_atomic_t *n_signals, struct why *why)
{
	struct run r = { .plan = plan, .report = report,
		.n_signals = n_signals, .next_second_ns = NS_PER_S,
		.next_judge_ns = JUDGE_NS };
	int status = EXIT_FAILED;
	sigset_t all, before;

	/* Signals are this thread's alone: none of the others may have one. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	if (prepare_run(&r, why) == 0) {
		emit_start(&r.emit);
		if (start_workers(&r, why) == 0)
			status = EXIT_DONE;
		else
			stop_workers(&r, LOAD_KILL);
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
		watch_workers(&r);
		if (join_workers(&r, why) < 0)
			status = EXIT_FAILED;
		status = finish_run(&r, status, why);
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	release_run(&r);
	return status;
}
