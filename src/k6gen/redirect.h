/* SPDX-License-Identifier: MIT */
/* redirect: the request that follows a redirect, by Go's (and k6's) rules. */
#ifndef K6PIPE_K6GEN_REDIRECT_H
#define K6PIPE_K6GEN_REDIRECT_H

#include "io/swarm.h"

/* Whether the reply is a redirect that can be followed. */
bool redirect_is(const struct swarm_reply *reply);

/* Turn r, which was answered by a redirect, into the next request, to url
 * (borrowed). Secrets stay away from origins other than that of first, the
 * URL that the user named. */
void redirect_follow(struct swarm_request *r, int status, const char *url,
    const char *first);

/* Copy of url for people and tags: credentials become "****", as k6 writes
 * them. The caller frees it. */
char *url_mask(const char *url);

#endif
