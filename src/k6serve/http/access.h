/* SPDX-License-Identifier: MIT */
/* access: may a request do what its route is for? */
#ifndef K6PIPE_K6SERVE_HTTP_ACCESS_H
#define K6PIPE_K6SERVE_HTTP_ACCESS_H

#include "k6serve/http/server.h"

/* May it, with the run of its path? 0: yes, and r->note is the owner whose runs
 * it sees, or NULL: all; -1: no, the reply says why (401, 429 when wrong tokens
 * keep coming from there, 503 when the database is away for now, or 500 when
 * the store fails). */
int access_check(struct server *server, struct httpd_request *r,
    const struct route *route, int64_t run, struct httpd_reply *reply);

#endif
