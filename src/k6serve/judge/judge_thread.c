/* SPDX-License-Identifier: MIT */
/* The thread that judges runs while they go on. */
#include "k6serve/judge/judge_thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/thread.h"
#include "base/units.h"
#include "k6serve/judge/judge_run.h"

enum { JUDGE_EVERY_MS = 2000 };

struct judge_thread {
	struct store *store;		/* the thread's */
	struct writer *writer;
	struct judged judged;		/* the thread's, but while it waits the
					   writer's */
	pthread_t thread;
	pthread_mutex_t lock;		/* of what follows */
	pthread_cond_t changed;
	bool is_stopping;
};

/* On the writer's thread. A failure is that of a full disk: the run is still
 * unjudged, and will be looked at again. */
static void
write_verdicts(void *ctx, struct store *s)
{
	struct judge_thread *t = ctx;
	struct why why;

	(void)judged_put(s, &t->judged, &why);
}

static void
judge_changed(struct judge_thread *t)
{
	struct why why;
	int64_t run = 0;
	int status;

	while ((run = store_unjudged(t->store, run, &why)) > 0) {
		status = judge_run(t->store, run, &t->judged, &why);
		if (status > 0)
			writer_do(t->writer, write_verdicts, t);
		judged_release(&t->judged);
	}
}

/* False: it is time to stop. */
static bool
wait_for_turn(struct judge_thread *t)
{
	int64_t until_ns = now_monotonic_ns() + JUDGE_EVERY_MS * NS_PER_MS;
	bool goes_on;

	(void)pthread_mutex_lock(&t->lock);
	while (!t->is_stopping &&
	    thread_wait_until(&t->changed, &t->lock, until_ns))
		;
	goes_on = !t->is_stopping;
	(void)pthread_mutex_unlock(&t->lock);
	return goes_on;
}

static void *
judge_main(void *ctx)
{
	struct judge_thread *t = ctx;

	do
		judge_changed(t);
	while (wait_for_turn(t));
	return NULL;
}

struct judge_thread *
judge_thread_start(struct store *store, struct writer *writer,
    struct why *why)
{
	struct judge_thread *t = xcalloc(1, sizeof(*t));
	int status;

	t->store = store;
	t->writer = writer;
	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_cond_init(&t->changed, NULL);
	status = pthread_create(&t->thread, NULL, judge_main, t);
	if (status == 0)
		return t;
	(void)why_set(why, "cannot start a thread: %s", strerror(status));
	(void)pthread_cond_destroy(&t->changed);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
	return NULL;
}

void
judge_thread_stop(struct judge_thread *t)
{
	if (t == NULL)
		return;
	(void)pthread_mutex_lock(&t->lock);
	t->is_stopping = true;
	(void)pthread_cond_signal(&t->changed);
	(void)pthread_mutex_unlock(&t->lock);
	(void)pthread_join(t->thread, NULL);
	(void)pthread_cond_destroy(&t->changed);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}
