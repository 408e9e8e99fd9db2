/* SPDX-License-Identifier: MIT */
/* store_verdict: the results of a run's thresholds, as judged here. */
#ifndef K6PIPE_K6SERVE_STORE_STORE_VERDICT_H
#define K6PIPE_K6SERVE_STORE_STORE_VERDICT_H

#include "k6serve/store/store.h"

struct store_verdict {
	struct span metric;	/* the key: http_req_duration{name:home} */
	struct span source;	/* p(95)<300 */
	double value;		/* of the left side; NaN: no samples came */
	bool is_known;		/* the next one is */
	bool is_failed;		/* without samples it is not, as in k6 */
	int64_t crossed_ns;	/* Unix, of the data: when it first failed;
				   0: it never did */
};

/* All verdicts of a run at one of its versions. */
struct store_verdicts {
	int64_t run, version;
	const struct store_verdict *list;
	size_t n;
	bool is_ours;		/* they are the run's result: */
	struct span results;	/* JSON: metric -> {source: has failed} */
	bool is_failed;		/* at least one is */
};

/* Keep them in the place of earlier ones; the run's version goes up if one has
 * changed. If data came in since, the run is still unjudged. */
enum store_result store_verdicts_put(struct store *s,
    const struct store_verdicts *v, struct why *why);

/* Of everybody's runs, the next with a number above after whose thresholds
 * were not judged since it changed. 0: there is none; -1: why. */
int64_t store_unjudged(struct store *s, int64_t after, struct why *why);

struct store_verdict_query {
	const char *owner;
	int64_t run;
};

/* Hand out each, by metric and source; what it points to dies with the call. A
 * return other than 0 ends the walk with that value; -1 is a failure. */
typedef int store_verdict_each(void *ctx, const struct store_verdict *v);
int store_verdicts(struct store *s, const struct store_verdict_query *q,
    store_verdict_each *each, void *ctx, struct why *why);

#endif
