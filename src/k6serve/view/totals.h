/* SPDX-License-Identifier: MIT */
/* totals: the figures of a run, or of a part of it, over all its requests. */
#ifndef K6PIPE_K6SERVE_VIEW_TOTALS_H
#define K6PIPE_K6SERVE_VIEW_TOTALS_H

#include <math.h>

#include "k6serve/view/failures.h"

/* One member for each metric that counts; TOTALS_NONE to begin with. */
struct totals {
	double reqs;
	double iterations, sent, received;	/* NAN: not told */
	uint64_t failed, told, checks, passes;	/* told: of failed or not */
	double by_status;	/* failed, while nothing is told; NAN */
	double most_vus;
	struct sink duration;
	struct sink expected;	/* of answers that were expected */
	struct apdex apdex;
};

#define TOTALS_NONE { .iterations = NAN, .sent = NAN, .received = NAN, \
	.duration.type = METRIC_TREND, \
	.expected.type = METRIC_TREND }

/* Add those of v->run, of the part that is looked at; has_expected: also what
 * takes more time. -1: why. */
int totals_read(struct totals *t, const struct view *v, bool has_expected,
    struct why *why);
void totals_release(struct totals *t);

/* Write the member totals into the object that is open; has_expected as it was
 * read. */
void totals_put(const struct totals *t, bool has_expected,
    struct jsn_out *o);

#endif
