/* SPDX-License-Identifier: MIT */
/* jar: the cookies of a user, which all engines fill and send (RFC 6265). */
#ifndef K6PIPE_K6GEN_HTTP_JAR_H
#define K6PIPE_K6GEN_HTTP_JAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct jar_cookie;

/* A zeroed struct is empty. */
struct jar {
	struct jar_cookie *cookies;	/* owned */
	size_t n, cap;
};

/* Take those of an answer's headers, lines "Name: value\n", to a request of
 * authority (host:port) and path. */
void jar_take(struct jar *j, struct span headers, const char *authority,
    const char *path, int64_t now_s);

/* Append those that a request sends, "a=1; b=2". */
void jar_write(const struct jar *j, const char *authority, const char *path,
    bool is_tls, int64_t now_s, struct buf *out);

/* Forget all; the memory is kept for others, or freed. */
void jar_empty(struct jar *j);
void jar_release(struct jar *j);

#endif
