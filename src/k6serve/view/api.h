/* SPDX-License-Identifier: MIT */
/* api: the runs as JSON, for the pages and for scripts (k6serve(1)). */
#ifndef K6PIPE_K6SERVE_VIEW_API_H
#define K6PIPE_K6SERVE_VIEW_API_H

#include "k6serve/http/call.h"

/* What reads; ctx is a struct cache, of the server's thread. */
extern const struct route api_routes[];

/* What a request's body wants changed of the run. */
struct run_change {
	struct buf note;
	bool has_note, has_baseline, is_baseline;
};

/* Read it; the caller releases note. -1: the reply says what is wrong. */
int api_read_change(struct call *c, struct run_change *change);
enum store_result api_change_run(struct call *c,
    const struct run_change *change, struct why *why);

/* What changes a run; no ctx. */
extern const struct route edit_routes[];

#endif
