/* SPDX-License-Identifier: MIT */
/* plan: what a run is to do, checked. It is made once, from the options. */
#ifndef K6PIPE_K6GEN_PLAN_H
#define K6PIPE_K6GEN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/opt.h"
#include "data/threshold.h"
#include "k6gen/check.h"
#include "k6gen/profile.h"
#include "k6gen/request.h"

struct load;
struct plan;
struct rows;
struct targets;
struct vu;

/* Who begins iterations, and when: one of k6's executors (PROTOCOL 8.2). The
 * functions are called by load, for one thread's share. */
struct executor {
	const char *name;	/* k6's: constant-vus */
	bool is_open;		/* iterations begin by the clock and not when
				   others end */

	/* Append it for people: "10 looping VUs for 30s". */
	void (*describe)(const struct plan *p, struct buf *out);

	/* The run begins. */
	void (*begin)(struct load *l);

	/* Whether a VU may begin one more iteration; counts it if so. */
	bool (*may_start)(struct load *l, const struct vu *v, int64_t now_ns);

	/* When start_due has something to do; INT64_MAX: never again. */
	int64_t (*next_due)(const struct load *l);

	/* Begin what is due; NULL if nothing ever is. */
	void (*start_due)(struct load *l, int64_t now_ns);
};

/* What is emitted. In the order in which k6 writes the samples of a request,
 * of an iteration's end, and of a second; then what k6 does not have. */
enum emitted { EMIT_REQS, EMIT_TIMINGS, EMIT_FAILED = EMIT_TIMINGS + TIMINGS,
	EMIT_SENT, EMIT_RECEIVED, EMIT_ITERATION_DURATION, EMIT_ITERATIONS,
	EMIT_VUS, EMIT_VUS_MAX, EMIT_DROPPED, EMIT_CHECKS,
	EMIT_SCHEDULE_LAG, EMIT_GENERATOR_LAG, EMIT_GENERATOR_CPU, EMITTED };

/* k6's system tags (PROTOCOL 1.7) that a generator of HTTP load has; the last
 * two go to the metadata. */
enum system_tag { TAG_PROTO, TAG_STATUS, TAG_METHOD, TAG_URL, TAG_NAME,
	TAG_GROUP, TAG_CHECK, TAG_ERROR, TAG_ERROR_CODE, TAG_TLS_VERSION,
	TAG_SCENARIO, TAG_EXPECTED_RESPONSE, TAG_IP, TAG_VU, TAG_ITER,
	SYSTEM_TAGS };

/* Samples of a metric with some tags, which thresholds or the summary want. */
struct submetric {
	enum emitted metric;
	struct threshold_key key;
};

enum { MOST_SUBMETRICS = 64 };	/* their set is a mask of 64 bits */

struct limit {			/* a threshold of the run */
	struct threshold threshold;
	enum emitted metric;
	int submetric;		/* -1: of the whole metric */
};

struct trend_stat {		/* a column of a trend in the summary */
	const char *name;
	enum threshold_method method;
	double percentile;
};

enum { MOST_STATS = 16 };

/* Texts are borrowed from argv, or owned by options. */
struct plan {
	const struct executor *executor;
	int vus;		/* at first; of a rate: made before it */
	int max_vus;		/* most at a time */
	int threads;
	int64_t iterations;	/* of all VUs; 0: not limited */
	struct profile profile;	/* VUs or starts a second over time */
	int64_t duration_ns;	/* no iteration starts later */
	int64_t graceful_ns;	/* what running ones may take after that */
	int64_t ramp_down_ns;	/* and those of VUs that are ramped down */
	int64_t warm_up_ns;	/* of the duration: nothing is told of it */
	int64_t think_min_ns, think_max_ns;	/* pause after a request */
	int64_t min_iteration_ns;
	double rps;		/* most requests a second; 0: any number */
	int64_t timeout_ns;	/* of a request with its redirects */
	int64_t max_redirects;
	const char *name;	/* of the run */
	struct targets *targets;
	const struct rows *rows;	/* of the CSV file; may be empty */
	bool is_row_random;
	uint64_t seed;
	struct http_options http;	/* how requests are made */
	struct opt_list tags;	/* key=value */
	unsigned system_tags;	/* 1 << TAG_* */
	int64_t sample_errors;	/* failing responses to show */
	bool has_output;
	const char *output;	/* where samples go: a file, or "stdout" */
	struct check *checks;
	size_t n_checks, cap_checks;
	struct limit *limits;
	size_t n_limits, cap_limits;
	struct submetric submetrics[MOST_SUBMETRICS];
	size_t n_submetrics;
	struct trend_stat stats[MOST_STATS];
	size_t n_stats;
};

/* What is emitted, as metrics. */
const struct metric *plan_metric(enum emitted which);

/* The one of that name; EMITTED: none. */
enum emitted plan_find_metric(struct span name);

/* The submetric of a key, made if need be; -1: there are too many. */
int plan_add_submetric(struct plan *p, enum emitted metric,
    const struct threshold_key *key);

#endif
