/* SPDX-License-Identifier: MIT */
/* thread: how one thread waits for another, by a descriptor or a condition, or
 * works by turns until another stops it. */
#ifndef K6PIPE_BASE_THREAD_H
#define K6PIPE_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"

/* A bell is a descriptor that poll(2) finds readable from the first ring until
 * it is cleared. -1: errno says why there is none. The caller closes it. */
int thread_bell_open(void);

/* From any thread and any signal handler; errno stays. Never blocks. */
void thread_bell_ring(int bell);

/* Take all rings so far. Never blocks. */
void thread_bell_clear(int bell);

/* Wait on a condition, whose mutex the caller holds, until this time of
 * now_monotonic_ns(). False: the time has come; true: look again if what was
 * waited for is so. */
bool thread_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex,
    int64_t until_ns);

/* A thread that works by turns, and waits between them. */
struct thread_turns {
	pthread_t thread;
	pthread_mutex_t lock;	/* of what follows */
	pthread_cond_t changed;
	bool is_stopping;
};

/* Let the thread run work(ctx); t, which is zeroed, stays where it is until
 * thread_turns_stop. -1: why, and there is none. */
int thread_turns_start(struct thread_turns *t, void *(*work)(void *),
    void *ctx, struct why *why);

/* For the thread: wait so long. False: it is time to stop. */
bool thread_turns_wait(struct thread_turns *t, int64_t ms);

/* For the thread, in the middle of a turn: is it time to stop? */
bool thread_turns_is_stopping(struct thread_turns *t);

/* For the one who started it: end its waiting, and wait for its end. */
void thread_turns_stop(struct thread_turns *t);

#endif
