/* SPDX-License-Identifier: MIT */
#include "k6agg/ahead.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A block is so many bytes of the file, behind room for the start of its first
 * line, which stands at the end of the block before. */
enum { BLOCK = 1 << 19, ROOM = 1 << 16, POINTS = BLOCK / 64, BLOCKS = 4 };

/* What becomes of a block; two threads are never at the same step. */
enum step { EMPTY, READING, READ, PARSING, PARSED };

struct block {
	enum step step;
	char *buffer;		/* of cap bytes */
	size_t cap;
	size_t n;		/* bytes of the file; 0: its end */
	size_t carried;		/* bytes before them; more than ROOM: none */
	bool is_whole;		/* all its lines are among the points */
	struct point *points;
	int n_points;
	size_t point_bytes;
};

struct ahead {
	struct stream *stream;
	struct lines *in;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct block blocks[BLOCKS];
	size_t n_read, n_parsed, n_taken;	/* blocks so far */
	struct span last;	/* all of the block parsed last */
	off_t read_to, taken_to;	/* offsets in the file */
	bool is_at_end;		/* of reading */
	bool is_waiting;	/* the caller, for a block; it needs no stream */
	bool is_over;
};

static struct block *
block_at(struct ahead *a, size_t i)
{
	return &a->blocks[i % BLOCKS];
}

static void
read_block(struct ahead *a, struct block *b)
{
	ssize_t n;

	if (b->cap < ROOM + BLOCK) {	/* new, or was in's */
		free(b->buffer);
		b->cap = ROOM + BLOCK;
		b->buffer = xmalloc(b->cap);
	}
	n = pread(a->in->fd, b->buffer + ROOM, BLOCK, a->read_to);
	b->n = n > 0 ? (size_t)n : 0;
	a->read_to += (off_t)b->n;
	a->is_at_end = b->n == 0;
}

/* Bytes behind the last newline. */
static size_t
rest_of(struct span s)
{
	const char *newline = s.n > 0 ? memrchr(s.p, '\n', s.n) : NULL;

	return newline != NULL ? s.n - (size_t)(newline + 1 - s.p) : s.n;
}

static void
parse_block(struct ahead *a, struct block *b)
{
	size_t rest = rest_of(a->last);
	struct span text = { b->buffer + ROOM, b->n };

	b->n_points = 0;
	b->point_bytes = 0;
	b->carried = rest;
	if (rest <= ROOM) {
		text.p -= rest;
		text.n += rest;
		memcpy(b->buffer + ROOM - rest, a->last.p + a->last.n - rest,
		    rest);
		b->n_points = stream_points(a->stream, text, b->points,
		    POINTS, &b->point_bytes);
	}
	a->last = text;
	b->is_whole = b->point_bytes > 0 &&
	    b->point_bytes + rest_of(text) == text.n;
}

/* The caller may still need the stream for a block that is not whole. */
static bool
may_parse(struct ahead *a)
{
	return (a->n_parsed > 0 && block_at(a, a->n_parsed - 1)->is_whole) ||
	    (a->is_waiting && a->n_parsed == a->n_taken);
}

/* Do what can be done next for a block, without the lock. False: nothing. */
static bool
work(struct ahead *a)
{
	struct block *b = block_at(a, a->n_parsed);

	if (b->step == READ && may_parse(a)) {
		b->step = PARSING;
		(void)pthread_mutex_unlock(&a->lock);
		parse_block(a, b);
		(void)pthread_mutex_lock(&a->lock);
		b->step = PARSED;
		a->n_parsed++;
	} else {
		b = block_at(a, a->n_read);
		if (b->step != EMPTY || a->is_at_end)
			return false;
		b->step = READING;
		(void)pthread_mutex_unlock(&a->lock);
		read_block(a, b);
		(void)pthread_mutex_lock(&a->lock);
		b->step = READ;
		a->n_read++;
	}
	(void)pthread_cond_broadcast(&a->changed);
	return true;
}

static void *
run_thread(void *arg)
{
	struct ahead *a = arg;

	(void)pthread_mutex_lock(&a->lock);
	while (!a->is_over)
		if (!work(a))
			(void)pthread_cond_wait(&a->changed, &a->lock);
	(void)pthread_mutex_unlock(&a->lock);
	return NULL;
}

static bool
is_worth_it(int fd, off_t from)
{
	struct stat st;
	cpu_set_t cpus;

	return fd >= 0 && from >= 0 && fstat(fd, &st) == 0 &&
	    S_ISREG(st.st_mode) && st.st_size - from >= BLOCKS * BLOCK &&
	    sched_getaffinity(0, sizeof(cpus), &cpus) == 0 &&
	    CPU_COUNT(&cpus) > 1;
}

static void
free_all(struct ahead *a)
{
	int i;

	for (i = 0; i < BLOCKS; i++) {
		free(a->blocks[i].buffer);
		free(a->blocks[i].points);
	}
	(void)pthread_cond_destroy(&a->changed);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
}

struct ahead *
ahead_start(struct stream *s, struct lines *in)
{
	off_t from = in->unpack == NULL ? lseek(in->fd, 0, SEEK_CUR) : -1;
	sigset_t all, before;
	struct ahead *a;
	int i, error;

	if (!is_worth_it(in->fd, from))
		return NULL;
	a = xcalloc(1, sizeof(*a));
	*a = (struct ahead){ .stream = s, .in = in, .last = lines_peek(in),
	    .read_to = from, .taken_to = from };
	for (i = 0; i < BLOCKS; i++)
		a->blocks[i].points = xmalloc(POINTS * sizeof(struct point));
	(void)pthread_mutex_init(&a->lock, NULL);
	(void)pthread_cond_init(&a->changed, NULL);
	(void)sigfillset(&all);	/* signals are for the caller's thread */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&a->thread, NULL, run_thread, a);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error == 0)
		return a;
	free_all(a);
	return NULL;
}

/* Give the block to in: as its new buffer if it begins with what in has left,
 * which it does but for lines that are too long. */
static void
hand_over(struct ahead *a, struct block *b)
{
	struct span data = { b->buffer + ROOM, b->n };

	if (b->carried <= ROOM && !a->in->is_skipping &&
	    b->carried == lines_waiting(a->in)) {
		lines_swap(a->in, &b->buffer, &b->cap, ROOM - b->carried,
		    ROOM + b->n);
		return;
	}
	b->n_points = 0;
	b->point_bytes = 0;
	b->is_whole = false;
	lines_append(a->in, data);
}

bool
ahead_next(struct ahead *a, const struct point **points, int *n,
    size_t *bytes)
{
	struct block *b, *before = NULL;

	(void)pthread_mutex_lock(&a->lock);
	a->is_waiting = true;
	b = block_at(a, a->n_taken);
	while (b->step != PARSED)
		if (!work(a))
			(void)pthread_cond_wait(&a->changed, &a->lock);
	a->is_waiting = false;
	if (b->n > 0) {
		if (a->n_taken > 0)
			before = block_at(a, a->n_taken - 1);
		hand_over(a, b);
		if (before != NULL)
			before->step = EMPTY;
		a->taken_to += (off_t)b->n;
		a->n_taken++;
		(void)pthread_cond_broadcast(&a->changed);
	}
	(void)pthread_mutex_unlock(&a->lock);
	*points = b->points;
	*n = b->n_points;
	*bytes = b->point_bytes;
	return b->n > 0;
}

bool
ahead_is_busy(const struct ahead *a)
{
	return a->n_taken > 0 &&
	    a->blocks[(a->n_taken - 1) % BLOCKS].is_whole;
}

void
ahead_stop(struct ahead *a)
{
	(void)pthread_mutex_lock(&a->lock);
	a->is_over = true;
	(void)pthread_cond_broadcast(&a->changed);
	(void)pthread_mutex_unlock(&a->lock);
	(void)pthread_join(a->thread, NULL);
	(void)lseek(a->in->fd, a->taken_to, SEEK_SET);
	free_all(a);
}
