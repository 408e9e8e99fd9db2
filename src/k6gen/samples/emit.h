/* SPDX-License-Identifier: MIT */
/*
 * emit: samples as k6's NDJSON, and as a tally. Each thread has one; lines
 * gather in memory and go to the writer whole, at the latest EMIT_DELAY_NS
 * after they were made, if emit_flush is called by then.
 */
#ifndef K6PIPE_K6GEN_SAMPLES_EMIT_H
#define K6PIPE_K6GEN_SAMPLES_EMIT_H

#include "base/buf.h"
#include "base/map.h"
#include "base/units.h"
#include "data/run.h"
#include "data/tags.h"
#include "k6gen/request.h"
#include "k6gen/plan.h"
#include "k6gen/tally.h"
#include "k6gen/samples/writer.h"

#define EMIT_DELAY_NS (200 * NS_PER_MS)

/* A tag set, and the submetrics that its samples belong to. */
struct tagged {
	const struct tagset *set;
	uint64_t subs;
};

struct emit {
	const struct plan *plan;
	struct writer *writer;	/* borrowed; NULL: no output */
	struct tally tally;
	struct buf out;
	int64_t oldest_ns;	/* when out was empty last, monotonic */
	uint64_t used;		/* metrics in out, as bits */
	struct buf heads[EMITTED];	/* of lines, up to the time */
	struct tags tags;
	struct tagged run_tags, vu_tags;
	struct tagged *check_tags;	/* as the plan's checks */
	struct map known;	/* tag sets of requests, by what they show */
	struct known *last;	/* the one before */
	struct buf key, metadata;	/* scratch */
	char time_text[TIME_TEXT];	/* of the samples being added */
	size_t time_n;
	int64_t time_ns;
	int64_t *errors_left;	/* responses to show, of all threads */
};

/* One request that was answered. */
struct emit_request {
	const char *name;	/* of its target; NULL: the URL's */
	const struct tag *tags;	/* of its target */
	size_t n_tags;
	const char *url, *method;	/* of this hop */
	int64_t vu, iter;
	const struct http_reply *reply;
};

/* One iteration's end. */
struct emit_iteration {
	int64_t time_ns;	/* Unix */
	int64_t duration_ns;
	int64_t lag_ns;		/* how late it began; < 0: not by the clock */
	int64_t vu, iter;
	struct http_bytes bytes;	/* of this iteration */
	bool is_interrupted;	/* then only the bytes are told */
};

/* How the generator did in the last second. */
struct emit_second {
	int active, vus_max;	/* VUs */
	int64_t lag_ns;		/* longest that a thread was late */
	double cpu_percent;	/* of the busiest thread */
};

/* Plan, writer and counter are borrowed until emit_release, which frees what
 * e holds and drops what was not written. */
void emit_init(struct emit *e, const struct plan *plan, struct writer *writer,
    int64_t *errors_left);
void emit_release(struct emit *e);

/* The Metric lines, by metric; the caller releases each. */
void emit_declarations(const struct plan *plan, struct buf lines[EMITTED]);

/* These add lines and cannot fail: the Start line; nine samples of a request;
 * one of a check of the response; up to five of an iteration's end; n
 * iterations that could not begin; a second's gauges. */
void emit_start(struct emit *e);
void emit_request(struct emit *e, const struct emit_request *r);
void emit_check(struct emit *e, size_t check, bool is_passed);
void emit_iteration(struct emit *e, const struct emit_iteration *i);
void emit_dropped(struct emit *e, int64_t n, int64_t time_ns);
void emit_second(struct emit *e, const struct emit_second *s);

/* The End line, with the books of the run; failed tells of each threshold. */
void emit_end(struct emit *e, const struct tally *run, int exit_status,
    enum run_status run_status, const bool *failed);

/* Hand over what is due at now_ns (monotonic); INT64_MAX: everything. */
void emit_flush(struct emit *e, int64_t now_ns);

/* When emit_flush has work to do; INT64_MAX: not before more is made. */
int64_t emit_due_ns(const struct emit *e);

#endif
