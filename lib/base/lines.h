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
#include "base/unpack.h"
#include "base/why.h"

#define LINES_MAX (1 << 20)	/* bytes of the longest line taken */
#define LINES_HEAD 64	/* bytes kept of a longer one */

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
	bool is_new;		/* nothing was read of it yet */
	bool is_fifo;		/* it has a name, and whoever writes may come
				   later than we */
	bool had_newline;	/* behind the line last taken */
	bool is_skipping;	/* inside a line that is too long */
	bool may_have_mark;	/* a UTF-8 byte-order mark, which is no data */
	char long_head[LINES_HEAD];	/* of the last line that was too long */
	/* Packed inputs are unpacked; the caller sets it after lines_init. */
	const struct codec *const *codecs;	/* NULL ends it; or NULL */
	struct unpack *unpack;	/* of the current input, which is packed_fd */
	int packed_fd;
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

/* What is in memory and not yet taken, for a caller that finds the ends of
 * lines by itself; empty inside a line that is too long. lines_pass takes its
 * first bytes: so many whole lines, each with its '\n'. */
struct span lines_peek(const struct lines *l);
void lines_pass(struct lines *l, size_t bytes, int64_t n);

/* For a caller that reads by itself what lines_fill would have read next: go
 * on in another buffer, which has from start to end what lines_peek tells and
 * more; the old one is given in exchange. Or add data to what there is. */
void lines_swap(struct lines *l, char **buffer, size_t *cap, size_t start,
    size_t end);
void lines_append(struct lines *l, struct span data);

/* Read once, opening the next file if need be; waits if the input does. A
 * FIFO is opened only, so that lines_fd can be polled; a signal ends the wait
 * for its writer.
 * 1: there may be more to take; 0: all inputs are at their end; -1: why tells
 * what failed with which file, n_failed is up, the next call goes on. */
int lines_fill(struct lines *l, struct why *why);

/* Bytes read and not yet taken. While there are any and the current input is
 * at its end (is_eof), lines_fill has nothing to add. */
size_t lines_waiting(const struct lines *l);

/* True if reading must stop after a signal (0: there was none). Ctrl-C reaches
 * the whole pipeline: what feeds a pipe or a socket ends by itself, and all of
 * it is taken; a file would not end. Any other signal stops at once. */
bool lines_must_stop(const struct lines *l, int signal);

/* The current input is a regular file: what it tells of is over. */
bool lines_is_file(const struct lines *l);

/* Read no more: what is in memory and the files that follow are forgotten, and
 * the current input is closed, stdin too, so that its writer ends. */
void lines_close(struct lines *l);

/* What is told of lines that are not taken: all are counted; the first few
 * that look like JSON are shown. Other text between the lines, such as k6's
 * banner, is no news. */
struct bad_lines {
	int64_t n;
	int shown;
	const char *hint;	/* of the caller: what the input looks like */
};

#define LINES_LONG_WHY "longer than 1048576 bytes"

/* Count a bad line, the one last taken from l, and show it if it is one of
 * the first: "tool: input:number: why" on stderr. */
void bad_lines_add(struct bad_lines *b, const struct lines *l,
    struct span text, const char *why);

/* The descriptor that lines_fill would read, to poll; -1 when it would open
 * a file, or report the end, without waiting. */
int lines_fd(const struct lines *l);

#endif
