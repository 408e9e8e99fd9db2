/* SPDX-License-Identifier: MIT */
/* listen: a listening TCP socket from an address as its user writes it. */
#ifndef K6PIPE_K6SERVE_HTTP_LISTEN_H
#define K6PIPE_K6SERVE_HTTP_LISTEN_H

#include <stdbool.h>

#include "base/why.h"

#define LISTEN_TEXT 64	/* longest "[address]:port", with NUL */

struct listener {
	int fd;
	int port;			/* the true one, if 0 was asked for */
	bool is_loopback;		/* only this machine can connect */
	char address[LISTEN_TEXT];	/* "127.0.0.1:6570", "[::1]:6570" */
};

/* Is it host:port? 0, or -1 and why. */
int listen_check(const char *where, struct why *why);

/* Bind "host:port", "[v6]:port" or ":port" (all addresses). -1: why says what
 * is wrong, without the address. */
int listen_open(struct listener *l, const char *where, struct why *why);

#endif
