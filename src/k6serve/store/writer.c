/* SPDX-License-Identifier: MIT */
/* The thread that writes: jobs, a group in each transaction, and chores. */
#include "k6serve/store/writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "base/mem.h"
#include "base/thread.h"
#include "base/units.h"
#include "k6serve/store/store_lease.h"
#include "k6serve/store/store_sweep.h"
#include "k6serve/trouble.h"

enum {
	JOBS_MAX = 256,		/* in a transaction */
	GROUP_MS = 10,		/* and time to begin another one in it */
	CHORES_MS = 500,	/* between looks at old runs */
	SLICE_MS = 20,		/* of sweeping, between two groups of jobs */
	SWEEP_ALL_MS = 60000,	/* between looks for what others removed */
};

const int64_t writer_bounds_us[WRITER_BOUNDS] = { 500, 1000, 2500, 5000,
	10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000,
	10000000 };

struct queued {
	struct writer_job job;
	struct queued *next;
};

struct writer {
	struct chores *chores;
	struct store *store;		/* the thread's */
	int64_t chores_ns;		/* monotonic: when they are due */
	bool is_sweeping;		/* there is more of it */
	bool is_rolling_up;		/* likewise */
	bool is_misplaced;		/* the database; it has been told */
	struct trouble leases, looks, sweeps;
	int64_t lease_ns;		/* monotonic: when it is renewed */
	int64_t sweep_all_ns;		/* likewise: when they are due */
	_Atomic bool is_ours;		/* the lease; fence is its number */
	_Atomic uint64_t fence, n_taken, n_too_late;
	_Atomic uint64_t commits[WRITER_BOUNDS + 1], commit_ns, n_failed;
	pthread_t thread;
	pthread_mutex_t lock;		/* of what follows */
	pthread_cond_t job_added;	/* or is_stopping set */
	struct queued *first, **last;
	size_t n;			/* that wait */
	bool is_stopping;
};

/* The next job; NULL: there is none now. */
static struct queued *
next_job(struct writer *w)
{
	struct queued *q;

	(void)pthread_mutex_lock(&w->lock);
	q = w->first;
	if (q != NULL) {
		w->first = q->next;
		if (w->first == NULL)
			w->last = &w->first;
		w->n--;
	}
	(void)pthread_mutex_unlock(&w->lock);
	return q;
}

static void
run_job(struct writer *w, const struct queued *q)
{
	q->job.write(q->job.ctx, w->store);
}

/* Each in a transaction of its own, so that one that fails takes no other
 * with it. */
static void
run_alone(struct writer *w, const struct queued *jobs)
{
	const struct queued *q;

	for (q = jobs; q != NULL; q = q->next)
		run_job(w, q);
}

/* Only this thread adds. */
static void
add(_Atomic uint64_t *count, uint64_t n)
{
	(void)atomic_fetch_add_explicit(count, n, memory_order_relaxed);
}

/* Commit a group; how long that took is counted. */
static int
commit(struct writer *w)
{
	int64_t start_ns = now_monotonic_ns(), taken_ns;
	struct why why;
	int i;

	if (store_group_end(w->store, &why) < 0) {
		add(&w->n_failed, 1);
		return -1;
	}
	taken_ns = now_monotonic_ns() - start_ns;
	for (i = 0; i < WRITER_BOUNDS && taken_ns > writer_bounds_us[i] *
	    NS_PER_US; i++)
		;
	add(&w->commits[i], 1);
	add(&w->commit_ns, (uint64_t)taken_ns);
	return 0;
}

/* Run the first job, and those that come until the group is full, in one
 * transaction. */
static void
run_group(struct writer *w, struct queued *q)
{
	int64_t end_ns = now_monotonic_ns() + GROUP_MS * NS_PER_MS;
	struct queued *jobs = q, **last = &q->next;
	struct why why;
	int n;

	*last = NULL;
	if (store_group_begin(w->store, &why) < 0) {
		run_alone(w, jobs);
	} else {
		run_job(w, q);
		for (n = 1; n < JOBS_MAX && now_monotonic_ns() < end_ns &&
		    (q = next_job(w)) != NULL; n++) {
			*last = q;
			last = &q->next;
			*last = NULL;
			run_job(w, q);
		}
		if (commit(w) < 0)
			run_alone(w, jobs);
	}
	while ((q = jobs) != NULL) {
		jobs = q->next;
		q->job.done(q->job.ctx);
		free(q);
	}
}

/* Wait for a job; NULL: it is time for something else. */
static struct queued *
wait_for_job(struct writer *w, bool *is_stopping)
{
	int64_t until_ns = w->is_sweeping || w->is_rolling_up ? 0 :
	    now_monotonic_ns() + CHORES_MS * NS_PER_MS;

	(void)pthread_mutex_lock(&w->lock);
	while (w->first == NULL && !w->is_stopping &&
	    thread_wait_until(&w->job_added, &w->lock, until_ns))
		;
	*is_stopping = w->is_stopping;
	(void)pthread_mutex_unlock(&w->lock);
	return next_job(w);
}

/* Say once that nothing can be written any more, and when it can again. */
static void
tell_place(struct writer *w)
{
	bool was_misplaced = w->is_misplaced;

	w->is_misplaced = store_is_misplaced(w->store);
	if (w->is_misplaced && !was_misplaced)
		warnf(STORE_MISPLACED_WHY "; until then all that comes is "
		    "answered 507");
	else if (was_misplaced && !w->is_misplaced)
		warnf("the database file is back");
}

/* Renew the lease, or try to get it. What is not known is not ours. */
static void
ask_for_lease(struct writer *w, int64_t now_ns)
{
	uint64_t fence;
	struct why why;
	bool is_ours;
	int held;

	if (now_ns < w->lease_ns)
		return;
	held = store_lease_hold(w->store, store_lease_chores, &why);
	trouble_work(&w->leases, "the lease of the periodic work", held, &why,
	    now_monotonic_ns());
	is_ours = held > 0;
	fence = (uint64_t)store_lease_fence(w->store);
	if (is_ours && (fence != w->fence || w->n_taken == 0))
		add(&w->n_taken, 1);
	w->fence = fence;
	w->is_ours = is_ours;
	w->lease_ns = now_ns + STORE_LEASE_RENEW_MS * NS_PER_MS;
	if (is_ours && fence != 0 && now_ns >= w->sweep_all_ns) {
		w->sweep_all_ns = now_ns + SWEEP_ALL_MS * NS_PER_MS;
		store_sweep_all(w->store);
	}
}

/* Did a chore come too late, as another k6serve does them? */
static bool
note_loss(struct writer *w)
{
	if (!store_lease_was_lost(w->store))
		return false;
	add(&w->n_too_late, 1);
	w->is_ours = false;
	return true;
}

/* A failure is that of a full disk and mends itself. */
static void
do_chores(struct writer *w)
{
	struct chores_time now = chores_now();
	struct why why;
	int status;

	if (now.awake_ns < w->chores_ns)
		return;
	w->chores_ns = now.awake_ns + CHORES_MS * NS_PER_MS;
	(void)store_check_place(w->store, &why);
	tell_place(w);
	if (w->is_misplaced)
		return;
	ask_for_lease(w, now.awake_ns);
	w->is_sweeping = w->is_rolling_up = w->is_ours;
	status = chores_do(w->chores, w->store, &now, w->is_ours, &why);
	if (!note_loss(w))
		trouble_work(&w->looks, "the work of timing out and removing "
		    "runs", status, &why, now_monotonic_ns());
}

static void
sweep(struct writer *w)
{
	int swept = 0, rolled = 0;
	struct why why;

	if (!w->is_sweeping && !w->is_rolling_up)
		return;
	if (w->is_sweeping)
		swept = store_sweep(w->store, now_monotonic_ns() +
		    SLICE_MS * NS_PER_MS, &why);
	if (w->is_rolling_up)
		rolled = chores_roll_up(w->chores, w->store,
		    now_monotonic_ns() + SLICE_MS * NS_PER_MS, &why);
	w->is_sweeping = swept > 0;
	w->is_rolling_up = rolled > 0;
	if (!note_loss(w))
		trouble_work(&w->sweeps, "the work of rolling up and deleting "
		    "runs", swept < 0 || rolled < 0 ? -1 : 0, &why,
		    now_monotonic_ns());
}

static void *
writer_main(void *ctx)
{
	struct writer *w = ctx;
	bool is_stopping = false;
	struct queued *q;

	do {
		do_chores(w);
		q = wait_for_job(w, &is_stopping);
		if (q != NULL)
			run_group(w, q);
		tell_place(w);	/* a job that was refused is told, too */
		if (!is_stopping)
			sweep(w);
	} while (q != NULL || !is_stopping);
	store_lease_drop(w->store);
	return NULL;
}

struct writer *
writer_start(const struct chores_config *config, struct store *store,
    struct why *why)
{
	struct writer *w = xcalloc(1, sizeof(*w));
	struct chores_time start = chores_now();
	int status;

	w->chores = chores_new(config, &start);
	w->store = store;
	w->last = &w->first;
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->job_added, NULL);
	status = pthread_create(&w->thread, NULL, writer_main, w);
	if (status == 0)
		return w;
	(void)why_set(why, "cannot start a thread: %s", strerror(status));
	(void)pthread_cond_destroy(&w->job_added);
	(void)pthread_mutex_destroy(&w->lock);
	chores_free(w->chores);
	free(w);
	return NULL;
}

void
writer_add(struct writer *w, const struct writer_job *job)
{
	struct queued *q = xcalloc(1, sizeof(*q));

	q->job = *job;
	(void)pthread_mutex_lock(&w->lock);
	*w->last = q;
	w->last = &q->next;
	w->n++;
	(void)pthread_cond_signal(&w->job_added);
	(void)pthread_mutex_unlock(&w->lock);
}

bool
writer_has_lease(struct writer *w)
{
	return w->is_ours;
}

void
writer_stats_get(struct writer *w, struct writer_stats *stats)
{
	int i;

	for (i = 0; i <= WRITER_BOUNDS; i++)
		stats->commits[i] = atomic_load_explicit(&w->commits[i],
		    memory_order_relaxed);
	stats->commit_ns = atomic_load_explicit(&w->commit_ns,
	    memory_order_relaxed);
	stats->n_failed = atomic_load_explicit(&w->n_failed,
	    memory_order_relaxed);
	stats->is_ours = w->is_ours;
	stats->fence = w->fence;
	stats->n_taken = w->n_taken;
	stats->n_too_late = w->n_too_late;
	(void)pthread_mutex_lock(&w->lock);
	stats->n_queued = w->n;
	(void)pthread_mutex_unlock(&w->lock);
}

/* A job that somebody waits for. */
struct awaited {
	void (*write)(void *ctx, struct store *s);
	void *ctx;
	pthread_mutex_t lock;	/* of what follows */
	pthread_cond_t changed;
	bool is_done;
};

static void
write_awaited(void *ctx, struct store *s)
{
	struct awaited *a = ctx;

	a->write(a->ctx, s);
}

static void
end_awaited(void *ctx)
{
	struct awaited *a = ctx;

	(void)pthread_mutex_lock(&a->lock);
	a->is_done = true;
	(void)pthread_cond_signal(&a->changed);
	(void)pthread_mutex_unlock(&a->lock);
}

void
writer_do(struct writer *w, void (*write)(void *ctx, struct store *s),
    void *ctx)
{
	struct awaited a = { .write = write, .ctx = ctx };

	(void)pthread_mutex_init(&a.lock, NULL);
	(void)pthread_cond_init(&a.changed, NULL);
	writer_add(w, &(struct writer_job){ write_awaited, end_awaited, &a });
	(void)pthread_mutex_lock(&a.lock);
	while (!a.is_done)
		(void)pthread_cond_wait(&a.changed, &a.lock);
	(void)pthread_mutex_unlock(&a.lock);
	(void)pthread_cond_destroy(&a.changed);
	(void)pthread_mutex_destroy(&a.lock);
}

void
writer_stop(struct writer *w)
{
	if (w == NULL)
		return;
	(void)pthread_mutex_lock(&w->lock);
	w->is_stopping = true;
	(void)pthread_cond_signal(&w->job_added);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL);
	(void)pthread_cond_destroy(&w->job_added);
	(void)pthread_mutex_destroy(&w->lock);
	chores_free(w->chores);
	free(w);
}
