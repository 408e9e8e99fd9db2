/* SPDX-License-Identifier: MIT */
#include "base/thread.c"

#include <fcntl.h>
#include <poll.h>

#include "tap.h"

static bool
is_ringing(int bell)
{
	struct pollfd p = { .fd = bell, .events = POLLIN };

	return poll(&p, 1, 0) == 1 && p.revents == POLLIN;
}

static void
bell(void)
{
	int bell = thread_bell_open();

	CHECK(bell >= 0 && !is_ringing(bell));
	CHECK((fcntl(bell, F_GETFD) & FD_CLOEXEC) != 0);
	thread_bell_clear(bell);	/* nothing to take: does not block */
	thread_bell_ring(bell);
	thread_bell_ring(bell);
	CHECK(is_ringing(bell));
	thread_bell_clear(bell);
	CHECK(!is_ringing(bell));
	(void)close(bell);
}

static void
keeps_errno(void)
{
	errno = ENOENT;
	thread_bell_ring(-1);
	CHECK(errno == ENOENT);
}

struct shared {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool is_set;
};

static void *
set(void *ctx)
{
	struct shared *s = ctx;

	(void)pthread_mutex_lock(&s->mutex);
	s->is_set = true;
	(void)pthread_cond_signal(&s->cond);
	(void)pthread_mutex_unlock(&s->mutex);
	return NULL;
}

struct turning {
	struct thread_turns turns;
	int n;
};

static void *
turn(void *ctx)
{
	struct turning *t = ctx;

	do
		__atomic_add_fetch(&t->n, 1, __ATOMIC_RELAXED);
	while (thread_turns_wait(&t->turns, 1) &&
	    !thread_turns_is_stopping(&t->turns));
	return NULL;
}

static void *
turn_rarely(void *ctx)
{
	struct turning *t = ctx;

	while (thread_turns_wait(&t->turns, 3600 * 1000))
		t->n++;
	return NULL;
}

static void
turns(void)
{
	struct turning t = { .n = 0 };
	struct why why = { .text = "" };

	CHECK(thread_turns_start(&t.turns, turn, &t, &why) == 0);
	while (__atomic_load_n(&t.n, __ATOMIC_RELAXED) < 3)
		;
	thread_turns_stop(&t.turns);
	t = (struct turning){ .n = 0 };
	CHECK(thread_turns_start(&t.turns, turn_rarely, &t, &why) == 0);
	thread_turns_stop(&t.turns);	/* does not wait an hour */
	CHECK(t.n == 0);
}

static void
conditions(void)
{
	struct shared s = { .mutex = PTHREAD_MUTEX_INITIALIZER,
	    .cond = PTHREAD_COND_INITIALIZER };
	int64_t until_ns = now_monotonic_ns() + 20 * NS_PER_MS;
	pthread_t thread;

	(void)pthread_mutex_lock(&s.mutex);
	CHECK(!thread_wait_until(&s.cond, &s.mutex, now_monotonic_ns() - 1));
	while (thread_wait_until(&s.cond, &s.mutex, until_ns))
		;
	CHECK(now_monotonic_ns() >= until_ns);
	CHECK(pthread_create(&thread, NULL, set, &s) == 0);
	until_ns = now_monotonic_ns() + 60 * NS_PER_S;
	while (!s.is_set && thread_wait_until(&s.cond, &s.mutex, until_ns))
		;
	CHECK(s.is_set);
	(void)pthread_mutex_unlock(&s.mutex);
	(void)pthread_join(thread, NULL);
}

int
main(void)
{
	test("a bell rings until it is cleared, and never blocks", bell);
	test("a ring keeps errno", keeps_errno);
	test("a condition is waited for until a monotonic time", conditions);
	test("a thread that works by turns is stopped between them", turns);
	return tap_end();
}
