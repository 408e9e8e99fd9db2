/* SPDX-License-Identifier: MIT */
/* Threads that read: a queue of jobs, and the memory of their answers. */
#include "k6serve/store/readers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"

enum {
	LEAST = 2,	/* threads */
	MOST = 4,
	NICE = 5,	/* how far they stand back, see nice(2) */
};

struct queued {
	struct readers_job job;
	struct queued *next;
};

/* One of the threads. */
struct reader {
	struct readers *all;
	struct store *store;
	pthread_t thread;
};

struct readers {
	struct reader threads[MOST];
	unsigned n_threads;
	size_t budget;
	pthread_mutex_t lock;	/* of what follows */
	pthread_cond_t changed;
	struct queued *first, **last;
	size_t n;		/* that wait */
	size_t held;		/* bytes of answers on their way */
	bool is_stopping;
};

/* Wait for the next job; NULL: there will be none. When the end is near, those
 * that wait are handed out without regard to memory: they are not read. */
static struct queued *
next_job(struct readers *r, bool *is_stopping)
{
	struct queued *q;

	(void)pthread_mutex_lock(&r->lock);
	while (!r->is_stopping && (r->first == NULL || r->held >= r->budget))
		(void)pthread_cond_wait(&r->changed, &r->lock);
	q = r->first;
	if (q != NULL) {
		r->first = q->next;
		if (r->first == NULL)
			r->last = &r->first;
		r->n--;
	}
	*is_stopping = r->is_stopping;
	(void)pthread_mutex_unlock(&r->lock);
	return q;
}

/* An answer is made by several statements, and is of one moment. Without a
 * transaction its own statements tell what is wrong with the database. */
static void
do_job(const struct readers_job *job, struct store *store)
{
	struct why why;

	store_watch(store, job->is_unwanted, job->ctx);
	store_limit(store, job->silence_ms);
	(void)store_read_begin(store, &why);
	job->read(job->ctx, store);
	store_watch(store, NULL, NULL);
	store_read_end(store);
}

static void *
reader_main(void *ctx)
{
	struct reader *reader = ctx;
	struct readers *r = reader->all;
	struct queued *q;
	bool is_stopping;

	/* of this thread alone; see setpriority(2) */
	(void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) +
	    NICE);
	while ((q = next_job(r, &is_stopping)) != NULL) {
		if (!is_stopping && !q->job.is_unwanted(q->job.ctx))
			do_job(&q->job, reader->store);
		q->job.done(q->job.ctx);
		free(q);
	}
	return NULL;
}

/* A thread for each processor, within reason. */
static unsigned
how_many(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < LEAST ? LEAST : n > MOST ? MOST : (unsigned)n;
}

static int
start_thread(struct readers *r, const struct store *store, struct why *why)
{
	struct reader *reader = &r->threads[r->n_threads];
	int status;

	reader->all = r;
	reader->store = store_open_again(store, why);
	if (reader->store == NULL)
		return -1;
	status = pthread_create(&reader->thread, NULL, reader_main, reader);
	if (status != 0) {
		store_close(reader->store);
		return why_set(why, "cannot start a thread: %s",
		    strerror(status));
	}
	r->n_threads++;
	return 0;
}

struct readers *
readers_start(const struct store *store, size_t budget, struct why *why)
{
	struct readers *r = xcalloc(1, sizeof(*r));
	unsigned n = how_many();

	r->budget = budget;
	r->last = &r->first;
	(void)pthread_mutex_init(&r->lock, NULL);
	(void)pthread_cond_init(&r->changed, NULL);
	while (r->n_threads < n)
		if (start_thread(r, store, why) < 0) {
			readers_stop(r);
			readers_free(r);
			return NULL;
		}
	return r;
}

bool
readers_add(struct readers *r, const struct readers_job *job, size_t n)
{
	struct queued *q = xcalloc(1, sizeof(*q));
	bool is_taken;

	q->job = *job;
	(void)pthread_mutex_lock(&r->lock);
	is_taken = r->n < n && !r->is_stopping;
	if (is_taken) {
		*r->last = q;
		r->last = &q->next;
		r->n++;
		(void)pthread_cond_signal(&r->changed);
	}
	(void)pthread_mutex_unlock(&r->lock);
	if (!is_taken)
		free(q);
	return is_taken;
}

void
readers_hold(struct readers *r, size_t bytes)
{
	(void)pthread_mutex_lock(&r->lock);
	r->held += bytes;
	(void)pthread_mutex_unlock(&r->lock);
}

void
readers_release(struct readers *r, size_t bytes)
{
	(void)pthread_mutex_lock(&r->lock);
	r->held -= bytes;
	(void)pthread_cond_broadcast(&r->changed);
	(void)pthread_mutex_unlock(&r->lock);
}

bool
readers_are_short(struct readers *r)
{
	bool are_short;

	(void)pthread_mutex_lock(&r->lock);
	are_short = r->first != NULL && r->held >= r->budget;
	(void)pthread_mutex_unlock(&r->lock);
	return are_short;
}

size_t
readers_queued(struct readers *r)
{
	size_t n;

	(void)pthread_mutex_lock(&r->lock);
	n = r->n;
	(void)pthread_mutex_unlock(&r->lock);
	return n;
}

static struct store *
take_store(struct reader *reader)
{
	struct store *store = reader->store;

	(void)pthread_mutex_lock(&reader->all->lock);
	reader->store = NULL;
	(void)pthread_mutex_unlock(&reader->all->lock);
	return store;
}

void
readers_stop(struct readers *r)
{
	unsigned i;

	if (r == NULL)
		return;
	(void)pthread_mutex_lock(&r->lock);
	r->is_stopping = true;
	(void)pthread_cond_broadcast(&r->changed);
	(void)pthread_mutex_unlock(&r->lock);
	for (i = 0; i < r->n_threads; i++) {
		(void)pthread_join(r->threads[i].thread, NULL);
		store_close(take_store(&r->threads[i]));
	}
	r->n_threads = 0;
}

void
readers_abandon(struct readers *r)
{
	unsigned i;

	(void)pthread_mutex_lock(&r->lock);
	for (i = 0; i < MOST; i++)
		if (r->threads[i].store != NULL)
			store_abandon(r->threads[i].store);
	(void)pthread_mutex_unlock(&r->lock);
}

void
readers_free(struct readers *r)
{
	if (r == NULL)
		return;
	(void)pthread_cond_destroy(&r->changed);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
}
