/* SPDX-License-Identifier: MIT */
/*
 * bucket: requests gathered by time and tag set, and folded when their bucket
 * is due (PROTOCOL 4). Ordinary ones become one aggregate, outliers come out
 * as they were.
 */
#ifndef K6PIPE_K6AGG_FOLD_BUCKET_H
#define K6PIPE_K6AGG_FOLD_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "data/sample.h"
#include "data/trail.h"
#include "k6agg/fold/fence.h"

struct bucket_rule {
	int64_t period_ns;	/* > 0 */
	int64_t min_samples;	/* fewer are not folded */
	bool skip_outliers;	/* fold all */
	struct fence_rule fence;
};

struct bucket;
struct line_store;

/* Open buckets and the books over the closed ones. Zeroed but for the rule it
 * is empty. */
struct buckets {
	struct bucket_rule rule;
	size_t max_groups;	/* tag sets in open buckets; 0: any number */
	struct tags tags;	/* of the requests past it */
	struct bucket **open;	/* ascending by id */
	size_t n, cap;
	struct bucket *spare;	/* empty, with its memory; or NULL */
	int64_t closed_to;	/* largest id closed so far */
	bool has_closed;
	struct bucket_scratch {
		int64_t *values;		/* for the fences */
		const struct trail **inside;	/* requests to fold */
		uint32_t *order;	/* requests by group */
		size_t cap;
		struct hist_tally tally;
	} scratch;
	uint64_t requests, folded, passed, late, aggregates;
	size_t n_groups;	/* tag sets in open buckets */
	uint64_t overflowed;	/* of those folded, past max_groups */
};

/* The name that the requests of a bucket past max_groups share. They are all
 * folded, at once, so that they take no memory. */
#define BUCKET_OVERFLOW "__other__"

/* Where the output of a closed bucket goes, in order of its tag sets' first
 * request: its outliers, each as line_store_get tells it, then its aggregate.
 * `is_outlier`, if there is one, knows requests of a stream that was folded
 * before: what it let pass in a bucket of this middle is no part of the
 * fences, and passes. */
struct bucket_out {
	void (*outlier)(void *ctx, struct line_store *kept, size_t place);
	void (*aggregate)(void *ctx, const struct aggregate *a);
	bool (*is_outlier)(void *ctx, int64_t middle_ns,
	    const struct tagset *tags, uint32_t source);
	void *ctx;
};

void buckets_release(struct buckets *b);

/* Add a request of stream number `source` and keep its lines. The points'
 * stream may forget its tails and tag sets, but must live as long as b. */
void buckets_add(struct buckets *b, const struct trail *t, uint32_t source,
    const struct point *points, int n);

/* The same for one whose lines are kept at a place elsewhere; they are copied.
 * The heads that they have must live as long as b. */
void buckets_add_kept(struct buckets *b, const struct trail *t,
    uint32_t source, const struct line_store *from, size_t place);

/* Close every bucket that began wait_ns or longer before now_ns, oldest
 * first. */
void buckets_close(struct buckets *b, int64_t now_ns, int64_t wait_ns,
    const struct bucket_out *out);

/* Close all. */
void buckets_close_all(struct buckets *b, const struct bucket_out *out);

#endif
