/* SPDX-License-Identifier: MIT */
/* authority: the host and port of a URL, as host:port. */
#ifndef K6PIPE_K6GEN_HTTP_AUTHORITY_H
#define K6PIPE_K6GEN_HTTP_AUTHORITY_H

#include <stdbool.h>

#include "base/buf.h"

enum { AUTHORITY = 256 };	/* bytes of a longest host:port */

/* The host of an http or https URL and its port, said or not; has_tls tells
 * which it is. Returns what stands behind them in the URL: path, query, or
 * nothing. NULL: it is no such URL, its port is not 1 to 65535, or its host is
 * too long. */
const char *authority_split(const char *url, char authority[AUTHORITY],
    bool *has_tls);

/* The host of host:port, without the brackets of IPv6. */
struct span authority_host(const char *authority);

/* If the URL's host has letters beyond ASCII, write the URL with the host's
 * ASCII form (IDNA 2008) to out. False: it has none, or it has no such form. */
bool authority_to_ascii(const char *url, struct buf *out);

#endif
