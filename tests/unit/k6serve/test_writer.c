/* SPDX-License-Identifier: MIT */
/* Jobs of several threads on the one that writes, with a real database. */
#include "k6serve/store/writer.h"

#include <pthread.h>
#include <stdlib.h>

#include "k6serve/store/store_priv.h"
#include "k6serve/store/store_run.h"
#include "k6serve/store_fixture.h"
#include "tap.h"

enum { THREADS = 4, JOBS = 100 };

/* What a job made, seen by its thread once it is done. */
struct job {
	struct store *other;	/* looks at what is on disk */
	pthread_mutex_t *lock;	/* of the members below */
	int64_t run;
	int writes;
	bool is_bad, is_done, was_on_disk;
};

static void
write_run(void *ctx, struct store *s)
{
	struct store_run r = { .name = SPAN("n"), .thresholds = SPAN("{}") };
	struct job *job = ctx;
	struct why why;

	job->writes++;
	job->run = store_run_add(s, &r, SPAN(""), &why) == STORE_DONE ? r.id
	    : 0;
}

/* Break the group's transaction, the first time. */
static void
write_badly(void *ctx, struct store *s)
{
	struct job *job = ctx;

	if (job->writes++ == 0)
		store_rollback(s);
}

/* Keep the writer busy until all jobs are added. */
static void
wait_for_others(void *ctx, struct store *s)
{
	struct job *job = ctx;

	(void)s;
	(void)pthread_mutex_lock(job->lock);
	(void)pthread_mutex_unlock(job->lock);
}

static void
note_done(void *ctx)
{
	struct job *job = ctx;
	struct why why;

	(void)pthread_mutex_lock(job->lock);
	job->is_done = true;
	job->was_on_disk = job->run != 0 && store_run_find(job->other,
	    store_everybody, job->run, &why) == STORE_DONE;
	(void)pthread_mutex_unlock(job->lock);
}

struct fixture {
	struct store *read, *write;
	struct writer *w;
	pthread_mutex_t lock;
};

static void
fixture_open(struct fixture *f)
{
	struct chores_config config = { .timeout_ns = INT64_MAX };
	struct why why;

	f->read = open_new();
	f->write = store_open_again(f->read, &why);
	(void)pthread_mutex_init(&f->lock, NULL);
	f->w = writer_start(&config, f->write, &why);
	CHECK(f->w != NULL);
}

/* End the writer, so that all its jobs are done. */
static void
fixture_close(struct fixture *f)
{
	writer_stop(f->w);
	store_close(f->write);
	close_and_remove(f->read);
	(void)pthread_mutex_destroy(&f->lock);
}

struct adder {
	struct fixture *f;
	struct job jobs[JOBS];
};

static void *
add_jobs(void *ctx)
{
	struct adder *a = ctx;
	int i;

	for (i = 0; i < JOBS; i++) {
		a->jobs[i] = (struct job){ .other = a->f->read,
		    .lock = &a->f->lock };
		writer_add(a->f->w, &(struct writer_job){ write_run,
		    note_done, &a->jobs[i] });
	}
	return NULL;
}

static void
all_are_done(void)
{
	struct adder *adders = calloc(THREADS, sizeof(*adders));
	pthread_t threads[THREADS];
	struct fixture f;
	int i, k;

	fixture_open(&f);
	for (i = 0; i < THREADS; i++) {
		adders[i].f = &f;
		CHECK(pthread_create(&threads[i], NULL, add_jobs,
		    &adders[i]) == 0);
	}
	for (i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	fixture_close(&f);
	for (i = 0; i < THREADS; i++)
		for (k = 0; k < JOBS; k++)
			CHECK(adders[i].jobs[k].writes == 1 &&
			    adders[i].jobs[k].is_done &&
			    adders[i].jobs[k].was_on_disk);
	free(adders);
}

static void
others_are_written_again(void)
{
	struct job first, bad, good[2];
	struct fixture f;
	size_t i;

	fixture_open(&f);
	first = bad = good[0] = good[1] = (struct job){ .other = f.read,
	    .lock = &f.lock };
	(void)pthread_mutex_lock(&f.lock);
	writer_add(f.w, &(struct writer_job){ wait_for_others, note_done,
	    &first });
	writer_add(f.w, &(struct writer_job){ write_run, note_done,
	    &good[0] });
	writer_add(f.w, &(struct writer_job){ write_badly, note_done, &bad });
	writer_add(f.w, &(struct writer_job){ write_run, note_done,
	    &good[1] });
	(void)pthread_mutex_unlock(&f.lock);
	fixture_close(&f);
	CHECK(first.is_done && bad.is_done && bad.writes == 2);
	for (i = 0; i < 2; i++)
		CHECK(good[i].is_done && good[i].was_on_disk);
}

int
main(void)
{
	test("each job is written once, and done when it is on disk",
	    all_are_done);
	test("a job that breaks the transaction takes no other with it",
	    others_are_written_again);
	return tap_end();
}
