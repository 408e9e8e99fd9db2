/* SPDX-License-Identifier: MIT */
/* A large file read by two threads, a block at a time, in order. */
#include "k6agg/read/ahead.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A block is so many bytes of the file, and what follows them up to the line
 * with which the next one begins, if that is not farther away than LOOK. */
enum { BLOCK = 1 << 19, LOOK = 1 << 15, BLOCKS = 24, WORTH = 1 << 22 };

enum step { EMPTY, PREPARING, READY };

/* One that prepares blocks: the caller, and a thread. */
enum { OURS, THEIRS, LANES };

struct block {
	enum step step;
	int lane;		/* that prepared it */
	off_t at;		/* in the file */
	char *buffer;		/* if its text is needed when it is taken */
	size_t n;		/* bytes read; 0: the file's end */
	size_t start, end;	/* of the lines that belong to it */
	bool is_prepared;
	struct prepared prepared;
};

struct lane {
	struct preparer preparer;
	char *buffer;		/* else: one for all: it stays in the cache */
	int n_blocks;		/* prepared or being so, and not taken */
};

struct ahead {
	struct prepare_rule rule;
	struct lines *in;	/* NULL: nothing is read ahead */
	int fd;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct lane lanes[LANES];
	struct block blocks[BLOCKS];
	size_t n_begun, n_taken;	/* blocks so far */
	off_t begun_to, taken_to;	/* offsets in the file */
	bool is_current;	/* block n_taken was given out in part */
	bool is_at_end;		/* no more blocks are begun */
	bool is_all_taken;	/* of the file, as far as it went */
	bool is_over;
	bool has_forgotten;
};

static struct block *
block_at(struct ahead *a, size_t i)
{
	return &a->blocks[i % BLOCKS];
}

/* Read a block and prepare what belongs to it, without the lock. */
static void
fill_block(struct ahead *a, struct block *b, struct lane *l)
{
	char **buffer = a->rule.purpose == PREPARE_LINES ? &b->buffer
	    : &l->buffer;
	struct span text;
	ssize_t got;

	if (*buffer == NULL)
		*buffer = xmalloc(BLOCK + LOOK);
	got = pread(a->fd, *buffer, BLOCK + LOOK, b->at);
	b->n = got > 0 ? (size_t)got : 0;
	b->end = b->n < BLOCK ? b->n : BLOCK;
	b->is_prepared = false;
	if (b->n <= BLOCK)
		return;
	text = (struct span){ *buffer, b->n };
	b->start = prepare_start(&l->preparer, &a->rule, (struct span){
	    *buffer, BLOCK }, 0);
	if (b->start == 0)
		return;
	text.n = prepare_start(&l->preparer, &a->rule, text, BLOCK);
	if (text.n == 0)
		return;
	b->end = text.n;
	text.p += b->start;
	text.n -= b->start;
	b->is_prepared = prepare(&l->preparer, &a->rule, text, &b->prepared);
}

/* Prepare the next block that nobody has begun, with the lock held but for
 * the work. False: there is none to begin now. */
static bool
prepare_next(struct ahead *a, int lane)
{
	struct block *b = block_at(a, a->n_begun);
	struct lane *l = &a->lanes[lane];

	if (b->step != EMPTY || a->is_at_end ||
	    l->preparer.stream.tags.n > STREAM_TAG_SETS)
		return false;
	b->step = PREPARING;
	b->lane = lane;
	b->at = a->begun_to;
	a->begun_to += BLOCK;
	a->n_begun++;
	l->n_blocks++;
	(void)pthread_mutex_unlock(&a->lock);
	fill_block(a, b, l);
	(void)pthread_mutex_lock(&a->lock);
	b->step = READY;
	a->is_at_end |= b->n < BLOCK;
	(void)pthread_cond_broadcast(&a->changed);
	return true;
}

static void *
run_thread(void *arg)
{
	struct ahead *a = arg;

	(void)pthread_mutex_lock(&a->lock);
	while (!a->is_over)
		if (!prepare_next(a, THEIRS))
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
	    S_ISREG(st.st_mode) && st.st_size - from >= WORTH &&
	    sched_getaffinity(0, sizeof(cpus), &cpus) == 0 &&
	    CPU_COUNT(&cpus) > 1;
}

struct ahead *
ahead_new(const struct prepare_rule *rule)
{
	struct ahead *a = xcalloc(1, sizeof(*a));

	a->rule = *rule;
	(void)pthread_mutex_init(&a->lock, NULL);
	(void)pthread_cond_init(&a->changed, NULL);
	return a;
}

bool
ahead_start(struct ahead *a, struct lines *in)
{
	off_t from = in->unpack == NULL ? lseek(in->fd, 0, SEEK_CUR) : -1;
	sigset_t all, before;
	int error, i;

	if (!is_worth_it(in->fd, from))
		return false;
	a->fd = in->fd;
	a->begun_to = a->taken_to = from;
	a->n_begun = a->n_taken = 0;
	a->is_current = a->is_at_end = a->is_all_taken = a->is_over = false;
	for (i = 0; i < BLOCKS; i++)
		a->blocks[i].step = EMPTY;
	for (i = 0; i < LANES; i++)
		a->lanes[i].n_blocks = 0;
	(void)sigfillset(&all);	/* signals are for the caller's thread */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&a->thread, NULL, run_thread, a);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	a->in = error == 0 ? in : NULL;
	return error == 0;
}

bool
ahead_is_on(const struct ahead *a)
{
	return a != NULL && a->in != NULL;
}

/* All of the block was taken: it is free for another. Tag sets are forgotten
 * here, where nobody looks at them, once none of their lane's blocks waits. */
static void
finish_block(struct ahead *a, struct block *b)
{
	struct lane *l;
	int i;

	b->step = EMPTY;
	a->is_all_taken = b->n < BLOCK;	/* the file may have grown since */
	a->lanes[b->lane].n_blocks--;
	a->n_taken++;
	for (i = 0; i < LANES; i++) {
		l = &a->lanes[i];
		if (l->n_blocks > 0 ||
		    l->preparer.stream.tags.n <= STREAM_TAG_SETS)
			continue;
		stream_trim(&l->preparer.stream, STREAM_TAG_SETS);
		a->has_forgotten = true;
	}
	(void)pthread_cond_broadcast(&a->changed);
}

/* Wait for the next block, and work meanwhile; the lock is held. We are one
 * block ahead of ourselves at most, so that our lane is free now and then. */
static struct block *
await(struct ahead *a)
{
	struct block *b = block_at(a, a->n_taken);

	while (b->step != READY)
		if (a->lanes[OURS].n_blocks > 0 || !prepare_next(a, OURS))
			(void)pthread_cond_wait(&a->changed, &a->lock);
	return b;
}

/* Give what is not taken of the block, up to an offset, to in; read again, as
 * this is rare. */
static enum ahead_result
give_lines(struct ahead *a, const struct block *b, size_t to)
{
	size_t n = (size_t)(b->at + (off_t)to - a->taken_to);
	char *text = xmalloc(n);
	ssize_t got = pread(a->fd, text, n, a->taken_to);

	if (got > 0)
		lines_append(a->in, (struct span){ text, (size_t)got });
	free(text);
	if (got != (ssize_t)n) {	/* the file has shrunk, or fails */
		a->taken_to += got > 0 ? got : 0;
		a->is_all_taken = true;
		return got > 0 ? AHEAD_LINES : AHEAD_END;
	}
	a->taken_to += got;
	return AHEAD_LINES;
}

enum ahead_result
ahead_next(struct ahead *a, const struct prepared **out)
{
	struct block *b = NULL;
	off_t start;

	(void)pthread_mutex_lock(&a->lock);
	if (a->is_current)
		finish_block(a, block_at(a, a->n_taken));
	a->is_current = false;
	while (!a->is_all_taken) {
		b = await(a);
		if (a->taken_to < b->at + (off_t)b->end)
			break;
		finish_block(a, b);
	}
	(void)pthread_mutex_unlock(&a->lock);
	if (a->is_all_taken)
		return AHEAD_END;
	start = b->at + (off_t)b->start;
	if (b->is_prepared && a->taken_to < start)
		return give_lines(a, b, b->start);
	if (!b->is_prepared || a->taken_to > start ||
	    lines_waiting(a->in) > 0 || a->in->is_skipping)
		return give_lines(a, b, b->end);
	a->taken_to = b->at + (off_t)b->end;
	a->is_current = true;
	*out = &b->prepared;
	return AHEAD_PREPARED;
}

bool
ahead_has_forgotten(struct ahead *a)
{
	bool has = a->has_forgotten;

	a->has_forgotten = false;
	return has;
}

void
ahead_stop(struct ahead *a)
{
	if (!ahead_is_on(a))
		return;
	(void)pthread_mutex_lock(&a->lock);
	a->is_over = true;
	(void)pthread_cond_broadcast(&a->changed);
	(void)pthread_mutex_unlock(&a->lock);
	(void)pthread_join(a->thread, NULL);
	(void)lseek(a->fd, a->taken_to, SEEK_SET);
	a->in = NULL;
}

void
ahead_free(struct ahead *a)
{
	int i;

	if (a == NULL)
		return;
	for (i = 0; i < BLOCKS; i++) {
		free(a->blocks[i].buffer);
		prepared_release(&a->blocks[i].prepared);
	}
	for (i = 0; i < LANES; i++) {
		free(a->lanes[i].buffer);
		preparer_release(&a->lanes[i].preparer);
	}
	(void)pthread_cond_destroy(&a->changed);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
}
