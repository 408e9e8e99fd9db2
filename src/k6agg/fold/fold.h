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
#include "k6agg/write/out.h"

/* One of the inputs that are read side by side. Requests do not cross them. */
struct fold_input {
	struct trails trails;
	int64_t clock_ns;	/* latest time in it, or in its last stream */
	bool has_clock;
	bool is_at_end;
};

struct folding {
	struct out *out;		/* borrowed */
	struct fold_input *inputs;	/* owned */
	size_t n_inputs;
	struct buckets buckets;
	struct aggregates merged;	/* what --merge holds back */
	bool is_merging;
	uint32_t source;	/* the input that the points now come from */
	struct buf lines;		/* scratch */
	int64_t calc_ns, wait_ns;
	int64_t clock_ns;	/* latest time of the stream */
	int64_t tick;		/* calc intervals that the clock has passed */
	int64_t latest_ns;	/* the latest time of all inputs, ever */
	int64_t earliest_ns;	/* and the earliest, late ones too */
	bool has_clock, has_latest, has_warned;
	int64_t requests;	/* that came in */
	/* Takes the lines that pass in place of out, if there is one; those of
	 * one request or of points by themselves. */
	void (*filter)(void *ctx, struct span lines, bool is_request);
	void *filter_ctx;
};

/* With n_inputs > 0 inputs. */
void folding_init(struct folding *f, const struct settings *s,
    struct out *out, int64_t max_series, size_t n_inputs);
void folding_release(struct folding *f);

/* True if requests are folded: a period was given. */
bool folding_is_on(const struct folding *f);

/* The input that the points now come from. */
struct fold_input *folding_input(const struct folding *f);

/* Take n points of it, whose lines stand each with a '\n' behind it until
 * folding_settle. */
void folding_points(struct folding *f, const struct point *points, int n);

/* Between two points of it no request goes on: take those that are held. */
void folding_part(struct folding *f);

/* No more points come from it. */
void folding_input_end(struct folding *f);

/* Hold no lines that the caller's memory has. True: nor any points. */
bool folding_settle(struct folding *f);

/* Its clock goes on to a time that it has. */
void folding_advance(struct folding *f, int64_t time_ns);

/* Note a time that is maybe the earliest: folding_advance does, too. */
void folding_note_time(struct folding *f, int64_t time_ns);

/* Take a request whose lines are kept elsewhere; they are copied. */
void folding_take_kept(struct folding *f, const struct trail *t,
    const struct line_store *from, size_t place);

/* Lines that pass, and the requests that they stand for; no filter's. */
void folding_pass(struct folding *f, struct span lines, int64_t requests);

/* Hold an aggregate of the input back, to be merged. */
void folding_merge(struct folding *f, const struct aggregate *a);

/* The stream has been silent for so long: its clock goes on with ours. */
void folding_idle(struct folding *f, int64_t silent_ns);

/* Close all. */
void folding_end(struct folding *f);

#endif
