/* SPDX-License-Identifier: MIT */
#include "k6serve/store/writer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"
#include "base/units.h"

enum {
	CALLS_MAX = 256,	/* calls in a transaction */
	GROUP_MS = 10,		/* and time to begin another one in it */
	CHORES_MS = 500,	/* between looks at old runs */
};

struct job {
	struct call call;
	struct job *next;
};

struct writer {
	struct app app;
	int64_t start_ns;		/* Unix */
	int64_t chores_ns;		/* monotonic: when they are due */
	pthread_t thread;
	pthread_mutex_t lock;		/* of what follows */
	pthread_cond_t is_news;
	struct job *first, **last;
	bool is_stopping;
};

static void
run(struct writer *w, struct job *job)
{
	struct httpd_reply *reply = job->call.reply;

	buf_reset(&reply->body);
	memset(reply->fields, 0, sizeof(reply->fields));
	job->call.app = &w->app;
	app_call(&job->call);
}

/* The next job; NULL: there is none now. */
static struct job *
take(struct writer *w)
{
	struct job *job;

	(void)pthread_mutex_lock(&w->lock);
	job = w->first;
	if (job != NULL) {
		w->first = job->next;
		if (w->first == NULL)
			w->last = &w->first;
	}
	(void)pthread_mutex_unlock(&w->lock);
	return job;
}

/* Each in a transaction of its own, so that one that fails takes no other
 * with it. */
static void
run_alone(struct writer *w, struct job *jobs)
{
	struct job *job;

	for (job = jobs; job != NULL; job = job->next)
		run(w, job);
}

/* Run the first job, and those that come until the group is full, in one
 * transaction. */
static void
run_group(struct writer *w, struct job *job)
{
	int64_t end_ns = now_monotonic_ns() + GROUP_MS * NS_PER_MS;
	struct job *jobs = job, **last = &job->next;
	struct store *store = w->app.store;
	struct why why;
	int n;

	*last = NULL;
	if (store_group_begin(store, &why) < 0) {
		run_alone(w, jobs);
	} else {
		run(w, job);
		for (n = 1; n < CALLS_MAX && now_monotonic_ns() < end_ns &&
		    (job = take(w)) != NULL; n++) {
			*last = job;
			last = &job->next;
			*last = NULL;
			run(w, job);
		}
		if (store_group_end(store, &why) < 0)
			run_alone(w, jobs);
	}
	while ((job = jobs) != NULL) {
		jobs = job->next;
		httpd_answered(job->call.r);
		free(job);
	}
}

/* Wait for a job; NULL: it is time for something else. */
static struct job *
await(struct writer *w, bool *is_stopping)
{
	int64_t until_ns = now_monotonic_ns() + CHORES_MS * NS_PER_MS;
	struct job *job;

	(void)pthread_mutex_lock(&w->lock);
	while (w->first == NULL && !w->is_stopping &&
	    thread_wait_until(&w->is_news, &w->lock, until_ns))
		;
	*is_stopping = w->is_stopping;
	(void)pthread_mutex_unlock(&w->lock);
	job = take(w);
	return job;
}

/* Runs that fell silent time out, and old ones go. While the server was away
 * nobody could be heard, so silence counts from its start. A failure is that
 * of a full disk and mends itself. */
static void
do_chores(struct writer *w)
{
	const struct app *app = &w->app;
	int64_t now = now_unix_ns();
	struct why why;

	if (now_monotonic_ns() < w->chores_ns)
		return;
	w->chores_ns = now_monotonic_ns() + CHORES_MS * NS_PER_MS;
	if (now - w->start_ns > app->timeout_ns)
		(void)store_expire(app->store, now - app->timeout_ns, &why);
	if (app->keep_ns != 0 || app->keep_bytes != 0)
		(void)store_retain(app->store,
		    app->keep_ns != 0 ? now - app->keep_ns : 0,
		    app->keep_bytes != 0 ? app->keep_bytes : INT64_MAX,
		    &why);
}

static void *
work(void *ctx)
{
	struct writer *w = ctx;
	bool is_stopping = false;
	struct job *job;

	do {
		do_chores(w);
		job = await(w, &is_stopping);
		if (job != NULL)
			run_group(w, job);
	} while (job != NULL || !is_stopping);
	return NULL;
}

struct writer *
writer_start(const struct app *app, struct store *store, struct why *why)
{
	struct writer *w = xcalloc(1, sizeof(*w));
	int status;

	w->app = *app;
	w->app.store = store;
	w->start_ns = now_unix_ns();
	w->last = &w->first;
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->is_news, NULL);
	status = pthread_create(&w->thread, NULL, work, w);
	if (status == 0)
		return w;
	(void)why_set(why, "cannot start a thread: %s", strerror(status));
	free(w);
	return NULL;
}

void
writer_add(struct writer *w, const struct call *c)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->call = *c;
	httpd_defer(c->r);
	(void)pthread_mutex_lock(&w->lock);
	*w->last = job;
	w->last = &job->next;
	(void)pthread_cond_signal(&w->is_news);
	(void)pthread_mutex_unlock(&w->lock);
}

void
writer_stop(struct writer *w)
{
	if (w == NULL)
		return;
	(void)pthread_mutex_lock(&w->lock);
	w->is_stopping = true;
	(void)pthread_cond_signal(&w->is_news);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL);
	(void)pthread_cond_destroy(&w->is_news);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
}
