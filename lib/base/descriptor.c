/* SPDX-License-Identifier: MIT */
/* Reading and writing that waits. */
#include "base/descriptor.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <unistd.h>

/* After a failed call: true if it is to be made again, now that it may do
 * something. poll(2) that fails is seen by the next call. */
static bool
is_again(int fd, short events)
{
	if (errno == EINTR)
		return true;
	if (errno != EAGAIN)
		return false;
	(void)poll(&(struct pollfd){ .fd = fd, .events = events }, 1, -1);
	return true;
}

ssize_t
descriptor_read(int fd, void *to, size_t n)
{
	ssize_t got;

	do {
		got = read(fd, to, n);
	} while (got < 0 && is_again(fd, POLLIN));
	return got;
}

int
descriptor_write(int fd, const void *from, size_t n)
{
	const char *p = from;
	ssize_t done;

	while (n > 0) {
		done = write(fd, p, n);
		if (done < 0 && !is_again(fd, POLLOUT))
			return -1;
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
	return 0;
}
