/* SPDX-License-Identifier: MIT */
/*
 * trouble: what is wrong with the database is told on standard error, as the
 * answers do not say it: when it begins, when it becomes something else, each
 * minute while it lasts, and when nothing has failed for 10 seconds.
 */
#ifndef K6PIPE_K6SERVE_HTTP_TROUBLE_H
#define K6PIPE_K6SERVE_HTTP_TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"

/* Of one kind of requests. Zeroed at first; of one thread. */
struct trouble {
	struct why cause;	/* that was told */
	int64_t told_ns, failed_ns;	/* monotonic */
	uint64_t n;		/* requests that failed since it began */
};

/* A request failed for that cause, and gets the status. kind: "reads". */
void trouble_note(struct trouble *t, const char *kind, const char *cause,
    int status, int64_t now_ns);

/* One was answered. */
void trouble_pass(struct trouble *t, const char *kind, int64_t now_ns);

#endif
