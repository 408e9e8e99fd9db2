/* SPDX-License-Identifier: MIT */
/* thread: how one thread waits for another, by a descriptor or a condition. */
#ifndef K6PIPE_BASE_THREAD_H
#define K6PIPE_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

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

#endif
