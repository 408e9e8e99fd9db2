/* SPDX-License-Identifier: MIT */
/* cookie: a cookie of an answer, as a line that libcurl's jar takes. */
#ifndef K6PIPE_K6GEN_HTTP_COOKIE_H
#define K6PIPE_K6GEN_HTTP_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Append the cookie of a Set-Cookie header's value (RFC 6265 5.2 and 5.3) in
 * the form of Netscape's cookie file: domain, whether its subdomains are meant
 * too, path, whether only for TLS, seconds since 1970 when it expires (0: with
 * the session), name, value. authority (host:port) and path are those of the
 * request. False: it is no cookie, or not for this host. */
bool cookie_line(struct span value, const char *authority, const char *path,
    int64_t now_s, struct buf *out);

#endif
