/* SPDX-License-Identifier: MIT */
/*
 * lines: input as lines, from files, "-" or stdin, one after the other. Large
 * reads, no copies: a line is a span into the buffer and dies at the next
 * lines_fill. Works on pipes that are polled by the caller.
 */
#ifndef K6PIPE_BASE_LINES_H
#define K6PIPE_BASE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/why.h"

#define LINES_MAX (1 << 20)	/* bytes of the longest line taken */

struct lines {
	const char *name;	/* of the current input, for messages */
	int64_t number;		/* of the line last taken, 1 is the first */
	int fd;			/* -1: none is open */
	char *const *files;	/* not yet opened, borrowed */
	int n_files;
	int n_failed;		/* files that could not be read */
	char *buffer;		/* owned */
	size_t cap, start, end, searched;
	bool is_eof;		/* of the current input */
	bool had_newline;	/* behind the line last taken */
	bool is_skipping;	/* inside a line that is too long */
};

enum lines_result {
	LINES_LINE,	/* a line was taken */
	LINES_MORE,	/* no whole line here: lines_fill */
	LINES_LONG,	/* a line of more than LINES_MAX bytes was passed
			   over; number tells which */
};

/* Read the n files in turn; none means stdin, and so does "-". */
void lines_init(struct lines *l, char *const *files, int n);
void lines_release(struct lines *l);

/* The next line that is already in memory, without its '\n' and with any
 * '\r'. The last line of an input needs no '\n'. */
enum lines_result lines_take(struct lines *l, struct span *line);

/* Read once, opening the next file if need be; waits if the input does.
 * 1: there is more to take; 0: all inputs are at their end; -1: why tells
 * what failed with which file, n_failed is up, the next call goes on. */
int lines_fill(struct lines *l, struct why *why);

/* Bytes read and not yet taken. While there are any and the current input is
 * at its end (is_eof), lines_fill has nothing to add. */
size_t lines_waiting(const struct lines *l);

/* True if the input, or the next one when none is open, ends by itself when a
 * signal reaches the whole pipeline: a pipe or a socket, whose writer has got
 * the signal too. */
bool lines_end_by_signal(const struct lines *l);

/* The descriptor that lines_fill would read, to poll; -1 when it would open
 * a file, or report the end, without waiting. */
int lines_fd(const struct lines *l);

#endif
