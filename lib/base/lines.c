/* SPDX-License-Identifier: MIT */
/* Lines of files, pipes and stdin, read in large pieces, packed or not. */
#include "base/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/die.h"

/* A buffer holds one longest line and one read. */
#ifndef LINES_READ
#define LINES_READ (1 << 18)
#endif
#define PIPE_BYTES (1 << 20)

enum { SHOWN_BAD_LINES = 5 };

void
lines_init(struct lines *l, char *const *files, int n)
{
	static char *const stdin_only[] = { "-" };

	*l = (struct lines){ .fd = -1, .packed_fd = -1, .name = "stdin" };
	l->files = n > 0 ? files : stdin_only;
	l->n_files = n > 0 ? n : 1;
}

/* Close the current input. -1: it was packed, and damaged. */
static int
close_current(struct lines *l, struct why *why)
{
	int status = 0;

	if (l->fd > STDIN_FILENO)
		(void)close(l->fd);
	l->fd = -1;
	if (l->unpack == NULL)
		return 0;
	status = unpack_end(l->unpack, why);
	l->unpack = NULL;
	if (l->packed_fd > STDIN_FILENO)
		(void)close(l->packed_fd);
	l->packed_fd = -1;
	return status;
}

void
lines_release(struct lines *l)
{
	struct why why;

	(void)close_current(l, &why);
	free(l->buffer);
	*l = (struct lines){ .fd = -1, .packed_fd = -1, .name = "stdin" };
}

enum lines_result
lines_take(struct lines *l, struct span *line)
{
	char *at = NULL;
	bool is_whole;

	if (l->end > l->searched)
		at = memchr(l->buffer + l->searched, '\n',
		    l->end - l->searched);
	is_whole = at != NULL || (l->is_eof && l->end > l->start);
	if (!is_whole && l->end - l->start <= LINES_MAX) {
		l->searched = l->end;
		if (l->is_skipping && l->is_eof) {
			l->is_skipping = false;
			return LINES_LONG;
		}
		return LINES_MORE;
	}
	if (!is_whole) {	/* drop what is here, and the rest of it */
		if (!l->is_skipping) {
			l->number++;
			memcpy(l->long_head, l->buffer + l->start, LINES_HEAD);
		}
		l->is_skipping = true;
		l->start = l->end = l->searched = 0;
		return LINES_MORE;
	}
	line->p = l->buffer + l->start;
	line->n = (size_t)((at != NULL ? at : l->buffer + l->end) - line->p);
	l->had_newline = at != NULL;
	l->start = l->searched = at != NULL ? (size_t)(at + 1 - l->buffer)
	    : l->end;
	if (l->is_skipping) {
		l->is_skipping = false;
		return LINES_LONG;
	}
	l->number++;
	if (line->n <= LINES_MAX)
		return LINES_LINE;
	memcpy(l->long_head, line->p, LINES_HEAD);
	return LINES_LONG;
}

struct span
lines_peek(const struct lines *l)
{
	return (struct span){ l->buffer + l->start,
	    l->is_skipping ? 0 : l->end - l->start };
}

void
lines_pass(struct lines *l, size_t bytes, int64_t n)
{
	l->start += bytes;
	if (l->searched < l->start)
		l->searched = l->start;
	l->had_newline = true;
	l->number += n;
}

/* As open(2), but a FIFO is not waited for until somebody writes. */
static int
open_file(struct lines *l)
{
	struct stat st;
	int fd;

	l->is_fifo = stat(l->name, &st) == 0 && S_ISFIFO(st.st_mode);
	if (!l->is_fifo)
		return open(l->name, O_RDONLY | O_CLOEXEC);
	fd = open(l->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		(void)fcntl(fd, F_SETFL, 0);
	return fd;
}

/* Open the next file. A pipe gets the largest buffer that it may have: fewer
 * wake-ups, a multiple of the throughput. */
static int
open_next(struct lines *l, struct why *why)
{
	l->is_fifo = false;
	l->name = *l->files++;
	l->n_files--;
	if (strcmp(l->name, "-") == 0) {
		l->name = "stdin";
		l->fd = STDIN_FILENO;
	} else {
		l->fd = open_file(l);
	}
	l->number = 0;
	l->is_eof = false;
	l->is_new = l->may_have_mark = true;
	if (l->fd < 0) {
		l->n_failed++;
		return why_set(why, "%s: %s", l->name, strerror(errno));
	}
	(void)fcntl(l->fd, F_SETPIPE_SZ, PIPE_BYTES);
	return 1;
}

/* Free room for so many bytes at the end of the buffer. */
static void
make_room(struct lines *l, size_t n)
{
	if (l->start > 0) {
		memmove(l->buffer, l->buffer + l->start, l->end - l->start);
		l->end -= l->start;
		l->searched -= l->start;
		l->start = 0;
	}
	if (l->cap - l->end < n) {
		l->cap = l->end + 2 * n;
		l->buffer = xrealloc(l->buffer, l->cap);
	}
}

void
lines_swap(struct lines *l, char **buffer, size_t *cap, size_t start,
    size_t end)
{
	char *old = l->buffer;
	size_t old_cap = l->cap;

	l->buffer = *buffer;
	l->cap = *cap;
	l->start = l->searched = start;
	l->end = end;
	*buffer = old;
	*cap = old_cap;
}

void
lines_append(struct lines *l, struct span data)
{
	make_room(l, data.n);
	memcpy(l->buffer + l->end, data.p, data.n);
	l->end += data.n;
}

/* Read into the free room; waits if the input does. */
static ssize_t
read_some(struct lines *l)
{
	ssize_t n = descriptor_read(l->fd, l->buffer + l->end,
	    l->cap - l->end);

	if (n > 0)
		l->end += (size_t)n;
	return n;
}

/* The codec whose data begins as the input does; more is read while that is
 * not clear. */
static const struct codec *
codec_of(struct lines *l)
{
	const struct codec *const *c = l->codecs;
	struct span head;

	for (; c != NULL && *c != NULL; c++)
		for (;;) {
			head = (struct span){ l->buffer + l->start,
			    l->end - l->start };
			if (!codec_may_begin(*c, head))
				break;
			if (head.n >= (*c)->magic.n)
				return *c;
			if (read_some(l) <= 0)
				break;
		}
	return NULL;
}

/* After the first read of what an input has or unpacks to: a byte-order mark
 * is no part of the first line. */
static void
skip_mark(struct lines *l)
{
	static const char mark[] = "\xef\xbb\xbf";
	size_t n = sizeof(mark) - 1, here;

	if (!l->may_have_mark || l->end == l->start)
		return;
	l->may_have_mark = false;
	for (;;) {
		here = l->end - l->start < n ? l->end - l->start : n;
		if (memcmp(l->buffer + l->start, mark, here) != 0)
			return;
		if (here == n || read_some(l) <= 0)
			break;
	}
	if (here == n) {
		l->start += n;
		l->searched = l->start;
	}
}

/* After the first read of an input: if it is packed, go on with what it
 * unpacks to. */
static int
see_through(struct lines *l, struct why *why)
{
	const struct codec *codec;
	int fd;

	if (!l->is_new)
		return 0;
	l->is_new = false;
	codec = codec_of(l);
	if (codec == NULL)
		return 0;
	l->unpack = unpack_start(codec, l->fd, (struct span){ l->buffer +
	    l->start, l->end - l->start }, &fd, why);
	l->end = l->searched = l->start;
	if (l->unpack == NULL)
		return -1;
	l->packed_fd = l->fd;
	l->fd = fd;
	return 0;
}

/* The current input ends here; how, cause says. */
static int
fail(struct lines *l, const struct why *cause, struct why *why)
{
	struct why ignored;

	l->is_eof = true;
	l->n_failed++;
	(void)close_current(l, &ignored);
	return why_set(why, "%s: %s", l->name, cause->text);
}

int
lines_fill(struct lines *l, struct why *why)
{
	struct why cause;
	ssize_t n;

	if (l->fd < 0) {
		if (l->n_files == 0)
			return 0;
		if (open_next(l, why) < 0)
			return -1;
		if (l->is_fifo)
			return 1;
	}
	/* A FIFO that nobody has opened yet would look as if it were at its
	 * end. */
	if (l->is_fifo && l->is_new && poll(&(struct pollfd){ .fd = l->fd,
	    .events = POLLIN }, 1, -1) < 0)
		return 1;
	make_room(l, LINES_READ);
	n = read_some(l);
	if (n < 0)
		(void)why_set(&cause, "%s", strerror(errno));
	if (n < 0 || (n > 0 && see_through(l, &cause) < 0))
		return fail(l, &cause, why);
	if (n > 0)
		skip_mark(l);
	if (n > 0)
		return 1;
	if (close_current(l, &cause) < 0)
		return fail(l, &cause, why);
	l->is_eof = true;
	return l->n_files > 0 || l->end > l->start || l->is_skipping;
}

size_t
lines_waiting(const struct lines *l)
{
	return l->end - l->start;
}

/* What the current input is, or else the next: bits of S_IFMT; 0: unknown. */
static mode_t
mode_of(const struct lines *l)
{
	const char *next = l->fd < 0 && l->n_files > 0 ? *l->files : "-";
	int fd = l->unpack != NULL ? l->packed_fd
	    : l->fd >= 0 ? l->fd : STDIN_FILENO;
	struct stat st;

	if (l->fd < 0 && l->n_files == 0)
		return 0;
	return (strcmp(next, "-") == 0 ? fstat(fd, &st) : stat(next, &st))
	    == 0 ? st.st_mode & S_IFMT : 0;
}

bool
lines_is_file(const struct lines *l)
{
	return mode_of(l) == S_IFREG;
}

void
lines_close(struct lines *l)
{
	bool is_stdin = l->fd == STDIN_FILENO ||
	    (l->unpack != NULL && l->packed_fd == STDIN_FILENO);
	struct why ignored;
	int null;

	(void)close_current(l, &ignored);
	if (is_stdin) {
		null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (null >= 0) {
			(void)dup2(null, STDIN_FILENO);
			(void)close(null);
		}
	}
	l->start = l->end = l->searched = 0;
	l->is_eof = true;
	l->n_files = 0;
}

int
lines_fd(const struct lines *l)
{
	return l->fd;
}

bool
lines_must_stop(const struct lines *l, int signal)
{
	mode_t mode = signal != 0 ? mode_of(l) : 0;

	/* A pipe and a socket end by themselves. */
	return signal != 0 && (signal != SIGINT || (mode != S_IFIFO &&
	    mode != S_IFSOCK));
}

void
bad_lines_add(struct bad_lines *b, const struct lines *l, struct span text,
    const char *why)
{
	b->n++;
	if (text.n > 0 && text.p[0] == '{' && b->shown++ < SHOWN_BAD_LINES)
		warnf("%s:%" PRId64 ": %s", l->name, l->number, why);
}
