/* SPDX-License-Identifier: MIT */
/* The thread that writes stdout, and the queue before it. */
#include "k6gen/samples/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/die.h"
#include "base/units.h"

enum {
	SLOTS = 4096,		/* buffers that wait */
	SPARE = 8,		/* and empty ones that are kept */
	PIPE_BYTES = 1 << 20,
};

struct writer {
	const struct buf *lines;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work, room;
	struct buf queue[SLOTS];
	size_t first, n;	/* of the queue */
	size_t held;		/* bytes in it, and being written */
	struct buf spare[SPARE];
	size_t n_spare;
	uint64_t declared;
	bool is_ending, is_joined;
	int error;
	int64_t stalled_ns;
};

/* The reader has gone: end as a filter does, without a word. */
static void
die_of_pipe(void)
{
	(void)signal(SIGPIPE, SIG_DFL);
	(void)raise(SIGPIPE);
	_exit(EXIT_FAILED);
}

/* Returns 0 or errno. */
static int
write_all(const struct buf *b)
{
	if (descriptor_write(STDOUT_FILENO, b->p, b->n) == 0)
		return 0;
	if (errno == EPIPE)
		die_of_pipe();
	return errno;
}

static void
recycle(struct writer *w, struct buf *b)
{
	if (w->n_spare == SPARE) {
		buf_release(b);
		return;
	}
	buf_reset(b);
	w->spare[w->n_spare++] = *b;
}

static void *
write_queue(void *ctx)
{
	struct writer *w = ctx;
	struct buf b;
	int error = 0;

	(void)pthread_mutex_lock(&w->lock);
	for (;;) {
		while (w->n == 0 && !w->is_ending)
			(void)pthread_cond_wait(&w->work, &w->lock);
		if (w->n == 0)
			break;
		b = w->queue[w->first];
		w->first = (w->first + 1) % SLOTS;
		w->n--;
		(void)pthread_mutex_unlock(&w->lock);
		if (error == 0)
			error = write_all(&b);
		(void)pthread_mutex_lock(&w->lock);
		w->error = error;
		w->held -= b.n;
		recycle(w, &b);
		(void)pthread_cond_broadcast(&w->room);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

struct writer *
writer_new(const struct buf *lines, struct why *why)
{
	struct writer *w = xcalloc(1, sizeof(*w));

	w->lines = lines;
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->work, NULL);
	(void)pthread_cond_init(&w->room, NULL);
	/* Fewer turns between us and the reader; no matter if it fails. */
	(void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE_BYTES);
	if (pthread_create(&w->thread, NULL, write_queue, w) == 0)
		return w;
	free(w);
	(void)why_set(why, "cannot start the thread that writes stdout");
	return NULL;
}

/* Under the lock. */
static void
enqueue(struct writer *w, const struct buf *b)
{
	w->queue[(w->first + w->n++) % SLOTS] = *b;
	w->held += b->n;
}

static void
wait_for_room(struct writer *w, size_t bytes)
{
	int64_t from = 0;

	while (w->held > 0 && (w->held + bytes > WRITER_HELD ||
	    w->n + 2 > SLOTS)) {
		if (from == 0)
			from = now_monotonic_ns();
		(void)pthread_cond_wait(&w->room, &w->lock);
	}
	if (from != 0)
		w->stalled_ns += now_monotonic_ns() - from;
}

void
writer_put(struct writer *w, struct buf *b, uint64_t mask)
{
	struct buf lines = { 0 };

	(void)pthread_mutex_lock(&w->lock);
	wait_for_room(w, b->n);
	for (mask &= ~w->declared; mask != 0; mask &= mask - 1) {
		buf_span(&lines, buf_whole(&w->lines[
		    __builtin_ctzll(mask)]));
		w->declared |= mask & -mask;
	}
	if (lines.n > 0)
		enqueue(w, &lines);
	enqueue(w, b);
	if (w->n_spare > 0)
		*b = w->spare[--w->n_spare];
	else
		*b = (struct buf){ 0 };
	(void)pthread_mutex_unlock(&w->lock);
	/* It would only wait for the lock. */
	(void)pthread_cond_signal(&w->work);
}

int
writer_end(struct writer *w)
{
	(void)pthread_mutex_lock(&w->lock);
	w->is_ending = true;
	(void)pthread_cond_signal(&w->work);
	(void)pthread_mutex_unlock(&w->lock);
	if (!w->is_joined)
		(void)pthread_join(w->thread, NULL);
	w->is_joined = true;
	return w->error;
}

void
writer_free(struct writer *w)
{
	if (w == NULL)
		return;
	(void)writer_end(w);
	while (w->n_spare > 0)
		buf_release(&w->spare[--w->n_spare]);
	free(w);
}

int
writer_error(struct writer *w)
{
	int error;

	(void)pthread_mutex_lock(&w->lock);
	error = w->error;
	(void)pthread_mutex_unlock(&w->lock);
	return error;
}

int64_t
writer_stalled_ns(struct writer *w)
{
	int64_t ns;

	(void)pthread_mutex_lock(&w->lock);
	ns = w->stalled_ns;
	(void)pthread_mutex_unlock(&w->lock);
	return ns;
}
