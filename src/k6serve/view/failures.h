/* SPDX-License-Identifier: MIT */
/*
 * failures: how many requests failed, in a run without http_req_failed. k6
 * before 0.31 does not have that metric; then the status of the answers
 * decides, by k6's default rule.
 */
#ifndef K6PIPE_K6SERVE_VIEW_FAILURES_H
#define K6PIPE_K6SERVE_VIEW_FAILURES_H

#include "data/tags.h"
#include "k6serve/view/view.h"

/* Does an answer of that status count as failed? NAN: there is no status. */
double failures_share(struct span status);

/* The failed requests of v->run by the status of the answers; *failed is NAN
 * if some have none. -1: why. */
int failures_by_status(const struct view *v, double *failed, struct why *why);

/* Did the answers of this tag set succeed? 1 or 0 by what the script expected
 * (the tag expected_response), else by their status; NAN: not known. */
double failures_success(const struct tagset *set);

/* How users find response times, by Apdex: successful answers within APDEX_MS
 * satisfy, and within four times that are tolerated. All others frustrate. */
enum { APDEX_MS = 500 };

struct apdex {
	uint64_t satisfied, tolerated;
	uint64_t unknown;	/* answers of which nothing tells if they
				   failed */
};

/* Add the durations of v->run's expected answers (the tag expected_response)
 * to *s, a trend, and all its answers to *apdex, unless that is NULL. -1:
 * why. */
int failures_expected(const struct view *v, struct sink *s,
    struct apdex *apdex, struct why *why);

#endif
