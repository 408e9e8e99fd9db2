/* SPDX-License-Identifier: MIT */
/* redirect: the request that follows a redirect, by Go's (and k6's) rules. */
#ifndef K6PIPE_K6GEN_HTTP_REDIRECT_H
#define K6PIPE_K6GEN_HTTP_REDIRECT_H

#include <stdbool.h>

#include "k6gen/request.h"

/* Whether the reply is a redirect that can be followed. */
bool redirect_is(const struct http_reply *reply);

/* Turn r, which reply (a redirect) answered, into the next request. Returns
 * its URL, which r borrows and the caller frees after that request; r's old
 * one is not freed. A Location that makes no URL is taken as it is: its
 * request fails and says so. Secrets stay away from origins other than that
 * of first, the URL that the user named. */
char *redirect_follow(struct http_request *r,
    const struct http_reply *reply, const char *first);

#endif
