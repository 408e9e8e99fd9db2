/* SPDX-License-Identifier: MIT */
/* api: the runs as JSON, for the pages and for scripts (k6serve(1)). */
#ifndef K6PIPE_K6SERVE_VIEW_API_H
#define K6PIPE_K6SERVE_VIEW_API_H

#include "k6serve/http/call.h"

/* What reads; ctx is a struct cache, of the server's thread. */
extern const struct route api_routes[];

/* Read {"note":"..."} of the request's body; the caller releases note. -1: the
 * reply says what is wrong with it. */
int api_read_note(struct call *c, struct buf *note);

/* What changes a run; no ctx. */
extern const struct route edit_routes[];

#endif
