/* SPDX-License-Identifier: MIT */
/* Packed inputs: found by their first bytes, unpacked by a thread to a pipe. */
#include "base/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/descriptor.h"

enum { READ_BYTES = 1 << 17, PIPE_BYTES = 1 << 20 };

struct unpack {
	const struct codec *codec;
	void *state;
	int in_fd, out_fd;
	char *buffer;		/* the head, then what is read */
	size_t n;
	pthread_t thread;
	/* the thread's, until it has ended */
	bool is_unwanted;
	int status;
	struct why why;
};

bool
codec_may_begin(const struct codec *c, struct span head)
{
	size_t n = head.n < c->magic.n ? head.n : c->magic.n;

	return n > 0 && memcmp(head.p, c->magic.p, n) == 0;
}

static bool
put(void *ctx, struct span piece)
{
	struct unpack *u = ctx;
	ssize_t n;

	while (piece.n > 0 && !u->is_unwanted) {
		n = write(u->out_fd, piece.p, piece.n);
		if (n < 0 && errno == EINTR)
			continue;
		u->is_unwanted = n < 0;
		if (n > 0) {
			piece.p += n;
			piece.n -= (size_t)n;
		}
	}
	return !u->is_unwanted;
}

static int
unpack_all(struct unpack *u)
{
	ssize_t n = (ssize_t)u->n;

	while (n > 0) {
		if (u->codec->feed(u->state, (struct span){ u->buffer,
		    (size_t)n }, put, u, &u->why) < 0)
			return -1;
		if (u->is_unwanted)
			return 0;
		n = descriptor_read(u->in_fd, u->buffer, READ_BYTES);
	}
	if (n < 0)
		return why_set(&u->why, "%s", strerror(errno));
	return u->codec->is_whole(u->state) ? 0 : why_set(&u->why,
	    "the %s data is cut short", u->codec->name);
}

/* The pipe's end tells the reader that the rest is settled. */
static void *
run_thread(void *arg)
{
	struct unpack *u = arg;

	u->status = unpack_all(u);
	(void)close(u->out_fd);
	u->out_fd = -1;
	return NULL;
}

/* Signals are for the thread that reads; a pipe nobody reads is no signal. */
static int
start_thread(struct unpack *u)
{
	sigset_t all, before;
	int error;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&u->thread, NULL, run_thread, u);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

static void
unpack_free(struct unpack *u)
{
	if (u->out_fd >= 0)
		(void)close(u->out_fd);
	if (u->state != NULL)
		u->codec->close(u->state);
	free(u->buffer);
	free(u);
}

struct unpack *
unpack_start(const struct codec *c, int in_fd, struct span head, int *out_fd,
    struct why *why)
{
	struct unpack *u = xcalloc(1, sizeof(*u));
	int fds[2], error;

	*u = (struct unpack){ .codec = c, .in_fd = in_fd, .out_fd = -1 };
	u->state = c->open();
	if (u->state == NULL || pipe2(fds, O_CLOEXEC) < 0) {
		(void)why_set(why, "cannot unpack %s data: %s", c->name,
		    u->state == NULL ? "no memory" : strerror(errno));
		unpack_free(u);
		return NULL;
	}
	(void)fcntl(fds[1], F_SETPIPE_SZ, PIPE_BYTES);
	u->out_fd = fds[1];
	u->buffer = xmalloc(head.n > READ_BYTES ? head.n : READ_BYTES);
	memcpy(u->buffer, head.p, head.n);
	u->n = head.n;
	error = start_thread(u);
	if (error != 0) {
		(void)why_set(why, "no thread: %s", strerror(error));
		(void)close(fds[0]);
		unpack_free(u);
		return NULL;
	}
	*out_fd = fds[0];
	return u;
}

int
unpack_end(struct unpack *u, struct why *why)
{
	int status;

	(void)pthread_cancel(u->thread);
	(void)pthread_join(u->thread, NULL);
	status = u->status;
	if (status < 0)
		(void)why_set(why, "%s", u->why.text);
	unpack_free(u);
	return status;
}
