/* SPDX-License-Identifier: MIT */
/* why: the reason of a failure, as a value that travels up to the tool. */
#ifndef K6PIPE_BASE_WHY_H
#define K6PIPE_BASE_WHY_H

/*
 * Functions of lib/ that can fail take a `struct why *` as last argument and
 * return -1 or NULL. Success leaves it untouched, failure always fills it.
 */
struct why {
	char text[256];	/* one line, lower case, no full stop, NUL-terminated */
};

/* Format the reason into why (may be NULL). Returns -1, so that callers can
 * write `return why_set(...)`. Text that does not fit is cut. */
int why_set(struct why *why, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
