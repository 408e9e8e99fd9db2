/* SPDX-License-Identifier: MIT */
/*
 * url: what the tools decide about http and https URLs. curl's own parser
 * takes them apart, so that no decision is about another host than the one
 * that curl connects to.
 */
#ifndef K6PIPE_IO_URL_H
#define K6PIPE_IO_URL_H

#include <stdbool.h>

#include "base/why.h"

enum { URL_MAX = 8000 };	/* bytes of the longest URL taken */

/* Check that url can be requested: absolute, http or https, a host, a port of
 * 1 to 65535, no blanks or control bytes, at most URL_MAX bytes; and without
 * user and password unless allows_user. -1: why, which does not repeat the
 * URL, as that may hold a password. */
int url_check(const char *url, bool allows_user, struct why *why);

/* As url_check without user, for a server's base URL of at most 2000 bytes;
 * if the server will get a token, the URL must be private unless allows_http.
 * -1: why, which names the URL. */
int url_check_server(const char *url, bool has_token, bool allows_http,
    struct why *why);

/* Whether nobody can listen in: https, or a host that is this machine
 * (localhost, 127.0.0.0/8, ::1). False also for what is not a URL. */
bool url_is_private(const char *url);

/* Whether scheme, host and port are the same. False if either is not a
 * URL. */
bool url_same_origin(const char *a, const char *b);

/* What a reference, such as that of a Location header, names when it stands
 * in the document base (RFC 3986 5.2): an absolute URL, of any scheme, that
 * the caller frees. NULL: base or result is not a URL with a host. */
char *url_resolve(const char *base, const char *reference);

/* Copy of url for people and tags: user and password become "****", as k6
 * writes them. Also of what is not a URL. The caller frees it. */
char *url_mask(const char *url);

#endif
