/* SPDX-License-Identifier: MIT */
/* Jobs on the threads that read, with a real database. */
#include "k6serve/store/readers.h"

#include <pthread.h>
#include <stdlib.h>

#include "k6serve/store/store_run.h"
#include "k6serve/store_fixture.h"
#include "tap.h"

enum { JOBS = 200 };

/* What all jobs of a test share. */
struct state {
	pthread_mutex_t lock;	/* of what follows */
	pthread_cond_t changed;
	int n_read, n_failed, n_done;
	bool is_unwanted, is_open;
};

struct job {
	struct state *state;
	int64_t run;
	size_t held;
	struct readers *r;
};

static void
state_init(struct state *s)
{
	*s = (struct state){ .is_open = true };
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->changed, NULL);
}

static void
state_set(struct state *s, bool *member, bool value)
{
	(void)pthread_mutex_lock(&s->lock);
	*member = value;
	(void)pthread_cond_broadcast(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
}

static int
state_get(struct state *s, const int *count)
{
	int n;

	(void)pthread_mutex_lock(&s->lock);
	n = *count;
	(void)pthread_mutex_unlock(&s->lock);
	return n;
}

/* Wait until that many are read, or done. */
static void
state_wait(struct state *s, const int *count, int n)
{
	(void)pthread_mutex_lock(&s->lock);
	while (*count < n)
		(void)pthread_cond_wait(&s->changed, &s->lock);
	(void)pthread_mutex_unlock(&s->lock);
}

static void
read_run(void *ctx, struct store *s)
{
	struct job *job = ctx;
	struct why why;
	bool is_there;

	(void)pthread_mutex_lock(&job->state->lock);
	job->state->n_read++;
	(void)pthread_cond_broadcast(&job->state->changed);
	while (!job->state->is_open)
		(void)pthread_cond_wait(&job->state->changed,
		    &job->state->lock);
	(void)pthread_mutex_unlock(&job->state->lock);
	is_there = store_run_find(s, store_everybody, job->run, &why) ==
	    STORE_DONE;
	(void)pthread_mutex_lock(&job->state->lock);
	job->state->n_failed += !is_there;
	(void)pthread_mutex_unlock(&job->state->lock);
}

/* Walk for ever, unless the store is told to stop. */
static int
see_nothing(void *ctx, const struct store_run *run)
{
	(void)ctx;
	(void)run;
	return 0;
}

static void
read_for_ever(void *ctx, struct store *s)
{
	struct store_run_query q = { .owner = store_everybody,
	    .limit = INT64_MAX };
	struct job *job = ctx;
	struct why why;

	(void)pthread_mutex_lock(&job->state->lock);
	job->state->n_read++;
	(void)pthread_cond_broadcast(&job->state->changed);
	(void)pthread_mutex_unlock(&job->state->lock);
	while (store_runs(s, &q, see_nothing, NULL, &why) == 0)
		;
}

static bool
is_unwanted(void *ctx)
{
	struct job *job = ctx;
	bool is;

	(void)pthread_mutex_lock(&job->state->lock);
	is = job->state->is_unwanted;
	(void)pthread_mutex_unlock(&job->state->lock);
	return is;
}

static void
note_done(void *ctx)
{
	struct job *job = ctx;

	readers_hold(job->r, job->held);
	(void)pthread_mutex_lock(&job->state->lock);
	job->state->n_done++;
	(void)pthread_cond_broadcast(&job->state->changed);
	(void)pthread_mutex_unlock(&job->state->lock);
}

static int64_t
make_runs(struct store *s, int n)
{
	struct store_run r = { .name = SPAN("n"), .thresholds = SPAN("{}") };
	struct why why;

	CHECK(store_group_begin(s, &why) == 0);
	while (n-- > 0)
		CHECK(store_run_add(s, &r, SPAN(""), &why) == STORE_DONE);
	CHECK(store_group_end(s, &why) == 0);
	return r.id;
}

/* A job for each of JOBS places; all are taken. */
static void
add_jobs(struct readers *r, struct job jobs[JOBS], struct state *state,
    int64_t run)
{
	int i;

	for (i = 0; i < JOBS; i++) {
		jobs[i] = (struct job){ state, run, 0, r };
		CHECK(readers_add(r, &(struct readers_job){ read_run,
		    is_unwanted, note_done, 0, &jobs[i] }, JOBS));
	}
}

static void
all_are_read(void)
{
	struct job jobs[JOBS];
	struct store *s = open_new();
	int64_t run = make_runs(s, 1);
	struct state state;
	struct why why;
	struct readers *r = readers_start(s, 1, &why);

	state_init(&state);
	add_jobs(r, jobs, &state, run);
	state_wait(&state, &state.n_done, JOBS);
	readers_stop(r);
	CHECK(state.n_read == JOBS && state.n_failed == 0);
	CHECK(!readers_add(r, &(struct readers_job){ read_run,
		    is_unwanted, note_done, 0, &jobs[0] }, JOBS));
	readers_free(r);
	close_and_remove(s);
}

static void
memory_is_bounded(void)
{
	struct job jobs[JOBS];
	struct store *s = open_new();
	int64_t run = make_runs(s, 1);
	struct state state;
	struct why why;
	struct readers *r = readers_start(s, 10, &why);
	int i, n;

	state_init(&state);
	state_set(&state, &state.is_open, false);
	for (i = 0; i < JOBS; i++) {
		jobs[i] = (struct job){ &state, run, 10, r };
		(void)readers_add(r, &(struct readers_job){ read_run,
		    is_unwanted, note_done, 0, &jobs[i] }, JOBS);
	}
	state_wait(&state, &state.n_read, 2);
	state_set(&state, &state.is_open, true);
	/* those that were begun end, and no other begins */
	while (!readers_are_short(r))
		;
	state_wait(&state, &state.n_done, 1);
	for (n = 1; n <= JOBS; n++) {
		state_wait(&state, &state.n_done, n);
		CHECK(state_get(&state, &state.n_read) <= n + 8);
		readers_release(r, 10);
	}
	CHECK(!readers_are_short(r));
	readers_stop(r);
	readers_free(r);
	close_and_remove(s);
}

static void
unwanted_are_not_read(void)
{
	struct store *s = open_new();
	struct state state;
	struct why why;
	struct readers *r = readers_start(s, 1, &why);
	struct job job = { &state, make_runs(s, 5000), 0, r };
	struct readers_job walk = { read_for_ever, is_unwanted, note_done,
	    0, &job };

	state_init(&state);
	CHECK(readers_add(r, &walk, JOBS));
	state_wait(&state, &state.n_read, 1);
	/* it is cut off in the middle, and the others never begin */
	state_set(&state, &state.is_unwanted, true);
	state_wait(&state, &state.n_done, 1);
	CHECK(readers_add(r, &walk, JOBS));
	state_wait(&state, &state.n_done, 2);
	CHECK(state.n_read == 1);
	state_set(&state, &state.is_unwanted, false);
	/* the store of that thread works again */
	walk.read = read_run;
	CHECK(readers_add(r, &walk, JOBS));
	CHECK(readers_add(r, &walk, JOBS));
	state_wait(&state, &state.n_done, 4);
	CHECK(state.n_read == 3 && state.n_failed == 0);
	readers_stop(r);
	readers_free(r);
	close_and_remove(s);
}

static void
ends_with_some_waiting(void)
{
	struct job jobs[JOBS];
	struct store *s = open_new();
	int64_t run = make_runs(s, 1);
	struct state state;
	struct why why;
	struct readers *r = readers_start(s, 10, &why);

	state_init(&state);
	readers_hold(r, 10);
	add_jobs(r, jobs, &state, run);
	CHECK(!readers_add(r, &(struct readers_job){ read_run,
		    is_unwanted, note_done, 0, &jobs[0] }, JOBS));
	readers_stop(r);
	CHECK(state.n_read == 0 && state.n_done == JOBS);
	readers_free(r);
	close_and_remove(s);
}

int
main(void)
{
	test("all jobs are read, and done", all_are_read);
	test("no job begins while the answers take too much memory",
	    memory_is_bounded);
	test("what nobody waits for is not read, or not to its end",
	    unwanted_are_not_read);
	test("at the end all jobs are done, those that wait unread",
	    ends_with_some_waiting);
	return tap_end();
}
