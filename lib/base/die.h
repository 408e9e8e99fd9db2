/* SPDX-License-Identifier: MIT */
/*
 * die: messages on stderr and the exit statuses that all tools share.
 * The tool's name is libc's program_invocation_short_name; no state is kept.
 */
#ifndef K6PIPE_BASE_DIE_H
#define K6PIPE_BASE_DIE_H

#include <stdio.h>

enum exit_status {
	EXIT_DONE = 0,		/* done and delivered */
	EXIT_FAILED = 1,	/* failed at run time */
	EXIT_USAGE = 2,		/* wrong use: option, value, environment */
	EXIT_UNDELIVERED = 75,		/* data not delivered */
	EXIT_THRESHOLD = 99,	/* a threshold was crossed (k6's number) */
	EXIT_INTERRUPTED = 105,	/* ended by a signal (k6's number) */
};

/* Write "tool: message\n" to stderr as one line: control characters, also
 * those of C1 and bidi overrides, come out as \xNN or \u{NNNN}. */
void warnf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As warnf, then exit with status. */
void dief(int status, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* Write text to stderr escaped as warnf does, newlines kept, no prefix. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Write one line to stderr as warnf does, without the tool's name. */
void say_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Columns of the terminal that stderr is; 80 if it tells none. */
int stderr_columns(void);

/* Write text to out escaped as warnf does: names of the input that a terminal
 * may show. */
void print_escaped(FILE *out, const char *text);

/* Write n bytes of text to out, as they are where the locale of the environment
 * is of UTF-8; elsewhere an ASCII character stands for each symbol that our own
 * reports use. */
void put_symbols(FILE *out, const char *text, size_t n);

/* Write the text to stdout at once. 0, or errno: what was not written is
 * forgotten, and told by the caller, so that close_stdout() does not tell it. */
int put_stdout(const char *text);

/* Flush and close stdout. Returns status; or EXIT_FAILED, with a message, if
 * output was lost (a full disk) and status was 0. */
int close_stdout(int status);

/* The same if a write to it has failed before: with this errno; 0: none. */
int close_stdout_after(int error, int status);

/* Write the last n bytes to stdout, then do as close_stdout(). */
int close_stdout_with(const char *text, size_t n, int status);

/* Open /dev/null on those of descriptors 0, 1 and 2 that are closed, so that
 * no file lands there; let stdout wait for its reader (base/descriptor); and
 * let a write past the limit of a file's size (ulimit -f) fail with EFBIG. */
void die_init(void);

#endif
