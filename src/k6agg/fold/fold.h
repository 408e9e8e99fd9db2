/* SPDX-License-Identifier: MIT */
/*
 * fold: points become requests, requests wait in the bucket of their time,
 * and what a due bucket gives is written. Buckets close by the stream's own
 * clock, so that the same input gives the same output however fast it comes.
 */
#ifndef K6PIPE_K6AGG_FOLD_FOLD_H
#define K6PIPE_K6AGG_FOLD_FOLD_H

#include "data/settings.h"
#include "k6agg/fold/aggregates.h"
#include "k6agg/fold/bucket.h"
#include "k6agg/out.h"

struct folding {
	struct out *out;		/* borrowed */
	struct buckets buckets;
	struct aggregates merged;	/* what --merge holds back */
	bool is_merging;
	uint32_t source;		/* of the points that come now */
	struct buf lines;		/* scratch */
	int64_t calc_ns, wait_ns;
	int64_t clock_ns;	/* latest time of the stream */
	int64_t tick;		/* calc intervals that the clock has passed */
	bool has_clock, has_warned;
	int64_t requests;	/* that came in */
	/* Takes the lines that pass in place of out, if there is one; those of
	 * one request or of points by themselves. */
	void (*filter)(void *ctx, struct span lines, bool is_request);
	void *filter_ctx;
};

void folding_init(struct folding *f, const struct settings *s,
    struct out *out, int64_t max_series);
void folding_release(struct folding *f);

/* True if requests are folded: a period was given. */
bool folding_is_on(const struct folding *f);

/* Requests that a point stands for by itself. */
int64_t folding_requests_of(const struct point *p);

/* Take a complete group of a stream; for trails_add. ctx is a folding. */
void folding_take(void *ctx, const struct group_out *g);

/* Take a request whose lines are kept elsewhere; they are copied. */
void folding_take_kept(struct folding *f, const struct trail *t,
    const struct line_store *from, size_t place);

/* Lines that pass, and the requests that they stand for; no filter's. */
void folding_pass(struct folding *f, struct span lines, int64_t requests);

/* Hold an aggregate of the input back, to be merged. */
void folding_merge(struct folding *f, const struct aggregate *a);

/* The stream's clock stands at now_ns: what is due is closed when it has
 * passed a multiple of the calc interval. */
void folding_tick(struct folding *f, int64_t now_ns);

/* The stream has been silent for so long: its clock goes on with ours. */
void folding_idle(struct folding *f, int64_t silent_ns);

/* Close all. */
void folding_end(struct folding *f);

#endif
