/* SPDX-License-Identifier: MIT */
/* Waiting between threads: eventfd(2), and conditions with monotonic time. */
#include "base/thread.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"

int
thread_bell_open(void)
{
	return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void
thread_bell_ring(int bell)
{
	const uint64_t one = 1;
	int saved = errno;

	(void)!write(bell, &one, sizeof(one));
	errno = saved;
}

void
thread_bell_clear(int bell)
{
	uint64_t rings;

	(void)!read(bell, &rings, sizeof(rings));
}

bool
thread_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex,
    int64_t until_ns)
{
	struct timespec until = { until_ns / NS_PER_S, until_ns % NS_PER_S };

	return pthread_cond_clockwait(cond, mutex, CLOCK_MONOTONIC, &until) !=
	    ETIMEDOUT;
}

int
thread_turns_start(struct thread_turns *t, void *(*work)(void *), void *ctx,
    struct why *why)
{
	int status;

	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_cond_init(&t->changed, NULL);
	status = pthread_create(&t->thread, NULL, work, ctx);
	if (status == 0)
		return 0;
	(void)pthread_cond_destroy(&t->changed);
	(void)pthread_mutex_destroy(&t->lock);
	return why_set(why, "cannot start a thread: %s", strerror(status));
}

bool
thread_turns_wait(struct thread_turns *t, int64_t ms)
{
	int64_t until_ns = now_monotonic_ns() + ms * NS_PER_MS;
	bool goes_on;

	(void)pthread_mutex_lock(&t->lock);
	while (!t->is_stopping &&
	    thread_wait_until(&t->changed, &t->lock, until_ns))
		;
	goes_on = !t->is_stopping;
	(void)pthread_mutex_unlock(&t->lock);
	return goes_on;
}

bool
thread_turns_is_stopping(struct thread_turns *t)
{
	bool is_stopping;

	(void)pthread_mutex_lock(&t->lock);
	is_stopping = t->is_stopping;
	(void)pthread_mutex_unlock(&t->lock);
	return is_stopping;
}

void
thread_turns_stop(struct thread_turns *t)
{
	(void)pthread_mutex_lock(&t->lock);
	t->is_stopping = true;
	(void)pthread_cond_signal(&t->changed);
	(void)pthread_mutex_unlock(&t->lock);
	(void)pthread_join(t->thread, NULL);
	(void)pthread_cond_destroy(&t->changed);
	(void)pthread_mutex_destroy(&t->lock);
}
