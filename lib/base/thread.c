/* SPDX-License-Identifier: MIT */
/* Waiting between threads: eventfd(2), and conditions with monotonic time. */
#include "base/thread.h"

#include <errno.h>
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
