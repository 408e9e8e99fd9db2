/* SPDX-License-Identifier: MIT */
#include "base/descriptor.c"

#include <fcntl.h>
#include <pthread.h>

#include "tap.h"

enum { BYTES = 1 << 20 };	/* more than a pipe holds */

static char sent[BYTES];

/* A pipe of which both ends have O_NONBLOCK. */
static void
open_pipe(int fds[2])
{
	CHECK(pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
}

/* What another thread writes: to where, and what came of it. */
struct late {
	int fd, status;
};

static void *
write_late(void *ctx)
{
	struct late *late = ctx;

	(void)usleep(20000);	/* the reader most likely waits by now */
	late->status = descriptor_write(late->fd, sent, BYTES);
	(void)close(late->fd);
	return NULL;
}

static void
waits_for_both(void)
{
	static char got[BYTES];
	struct late late = { .status = -1 };
	pthread_t writer;
	size_t all = 0;
	ssize_t n;
	int fds[2];

	open_pipe(fds);
	memset(sent, 'x', BYTES);
	late.fd = fds[1];
	CHECK(pthread_create(&writer, NULL, write_late, &late) == 0);
	while ((n = descriptor_read(fds[0], got + all, BYTES - all)) > 0)
		all += (size_t)n;
	CHECK(n == 0);
	CHECK(pthread_join(writer, NULL) == 0);
	CHECK(late.status == 0);
	CHECK(all == BYTES && memcmp(got, sent, BYTES) == 0);
	CHECK((fcntl(fds[0], F_GETFL) & O_NONBLOCK) != 0);
	(void)close(fds[0]);
}

static void
other_errors_are_told(void)
{
	char byte = 'x';
	int fds[2];

	open_pipe(fds);
	CHECK(descriptor_read(fds[1], &byte, 1) == -1 && errno == EBADF);
	CHECK(descriptor_write(fds[0], &byte, 1) == -1 && errno == EBADF);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

int
main(void)
{
	test("a pipe with O_NONBLOCK is waited for, and keeps the flag",
	    waits_for_both);
	test("other errors are told", other_errors_are_told);
	return tap_end();
}
