/* SPDX-License-Identifier: MIT */
/*
 * threshold: k6's pass and fail criteria (PROTOCOL 8.3), read and judged.
 *
 * A key names a metric, or those of its samples that carry some tags:
 * http_req_duration, http_req_duration{status:200,name:home}. An assertion
 * is a method, an operator and a number: p(95)<300, rate<=0.01.
 */
#ifndef K6PIPE_DATA_THRESHOLD_H
#define K6PIPE_DATA_THRESHOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"
#include "data/jsn.h"
#include "data/sink.h"
#include "data/tags.h"

enum threshold_method { THRESHOLD_COUNT, THRESHOLD_RATE, THRESHOLD_VALUE,
	THRESHOLD_AVG, THRESHOLD_MIN, THRESHOLD_MAX, THRESHOLD_MED,
	THRESHOLD_PERCENTILE };

enum threshold_op { THRESHOLD_LE, THRESHOLD_LT, THRESHOLD_GE, THRESHOLD_GT,
	THRESHOLD_EQ, THRESHOLD_NE };

enum { THRESHOLD_TAGS = 16 };	/* most tags of a key */

struct threshold_key {
	struct span text;	/* http_req_duration{status:200} */
	struct span metric;
	struct span suffix;	/* inside of the braces; n 0: none */
	struct tag tags[THRESHOLD_TAGS];
	size_t n_tags;
};

struct threshold {
	struct threshold_key key;
	struct span source;	/* the assertion as it was written */
	enum threshold_method method;
	double percentile;	/* 0..100, of THRESHOLD_PERCENTILE */
	enum threshold_op op;
	double limit;
	bool aborts;		/* k6's abortOnFail */
	int64_t delay_ns;	/* k6's delayAbortEval; 0: none */
};

/* The parts borrow their text. -1: why says what is wrong with it. */
int threshold_parse_key(struct threshold_key *key, struct span text,
    struct why *why);

/* KEY=ASSERTION, and behind it, each after a comma, "abortOnFail" and
 * "delayAbortEval=10s" (which means the former too). */
int threshold_parse(struct threshold *t, const char *text, struct why *why);

/* The same of a key and an assertion that stand apart, as in k6's own JSON.
 * The parts borrow both. */
int threshold_set(struct threshold *t, struct span key, struct span source,
    struct why *why);

/* An assertion as JSON has it: a text, or k6's object {"threshold":"avg<9",
 * "abortOnFail":true,"delayAbortEval":"10s"}. */
struct threshold_json {
	struct span source;	/* raw, as jsn_text has it; n 0: it has none */
	bool aborts;
	int64_t delay_ns;
};

/* Take the value that the cursor stands at; the text lives as long as that of
 * j. False: it is neither, and is passed
 * over. */
bool threshold_take(struct jsn *j, struct threshold_json *one);

/* Hand out each assertion of {"metric":["p(95)<300",...]}, with its key, raw
 * too. What is no list, or no assertion, is passed over. */
typedef void threshold_each(void *ctx, struct span metric,
    const struct threshold_json *one);
void threshold_walk(struct span object, threshold_each *each, void *ctx);

/* The method as it was written: "p(95)" of "p(95) < 300". */
struct span threshold_method_text(const struct threshold *t);

/* Whether the method can be asked of such a metric: k6 refuses others. */
bool threshold_fits(const struct threshold *t, enum metric_type type);

/* Whether a tag set carries all tags of the key. */
bool threshold_key_matches(const struct threshold_key *key,
    const struct tagset *set);

/* What the method says of the values; seconds is how long the run lasted,
 * for the rate of a counter. 0 of an empty sink. */
double threshold_measure(const struct threshold *t, const struct sink *s,
    double seconds);

/* Whether the assertion holds of a value. */
bool threshold_allows(const struct threshold *t, double value);

/* Whether the assertion holds while a run goes on: k6 does not look at one that
 * has no samples yet. */
bool threshold_holds(const struct threshold *t, const struct sink *s,
    double seconds);

/* Whether it held, at the end. What is empty counts as 0: a count, a gauge's
 * value, a trend's figures. A share of nothing is none, and holds. (metrics/
 * engine and metrics/thresholds of k6, since 0.39) */
bool threshold_held(const struct threshold *t, const struct sink *s,
    double seconds);

/* A trend statistic's name as k6 has it: avg min med max count p(95).
 * False: it is none. */
bool threshold_parse_stat(struct span text, enum threshold_method *method,
    double *percentile);

/* That statistic of a trend; 0 of an empty one. */
double threshold_stat(const struct sink *s, enum threshold_method method,
    double percentile);

#endif
