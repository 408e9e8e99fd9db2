/* SPDX-License-Identifier: MIT */
/*
 * emit: the run as k6's NDJSON on stdout, and what the summary needs of it.
 * Lines gather in memory and leave whole, at the latest EMIT_DELAY_NS after
 * they were made, if emit_flush is called by then.
 */
#ifndef K6PIPE_K6GEN_EMIT_H
#define K6PIPE_K6GEN_EMIT_H

#include "base/buf.h"
#include "base/map.h"
#include "base/units.h"
#include "data/run.h"
#include "data/sink.h"
#include "data/tags.h"
#include "io/swarm.h"
#include "k6gen/plan.h"

#define EMIT_DELAY_NS (200 * NS_PER_MS)

/* In the order in which k6 writes the samples of a request, of an iteration's
 * end, and of a second. */
enum emitted { EMIT_REQS, EMIT_TIMINGS, EMIT_FAILED = EMIT_TIMINGS + TIMINGS,
	EMIT_SENT, EMIT_RECEIVED, EMIT_ITERATION_DURATION, EMIT_ITERATIONS,
	EMIT_VUS, EMIT_VUS_MAX, EMITTED };

struct emit {
	const struct plan *plan;
	struct buf out;
	int64_t oldest_ns;	/* when out was empty last, monotonic */
	int error;		/* errno of a write that failed, for good */
	struct span names[EMITTED];
	struct tags tags;
	const struct tagset *run_tags, *vu_tags;	/* in tags */
	struct map known;	/* tag sets of requests, by what they show */
	struct buf key;		/* scratch */
	char time_text[TIME_TEXT];	/* of the samples being added */
	size_t time_n;
	int64_t time_ns;
	struct sink sinks[EMITTED];
	struct sink expected;	/* durations with expected_response:true */
	int64_t points, requests;
	bool is_declared[EMITTED];	/* its Metric line is out */
};

/* One iteration's end. */
struct emit_iteration {
	int64_t time_ns;	/* Unix */
	int64_t duration_ns;
	struct swarm_bytes bytes;	/* of this iteration */
	bool is_interrupted;	/* then only the bytes are told */
};

/* The plan is borrowed until emit_release, which frees what e holds and drops
 * what was not written. */
void emit_init(struct emit *e, const struct plan *plan);
void emit_release(struct emit *e);

/* These add lines and cannot fail: the Start line; nine samples of a request
 * that was answered by reply; up to four of an iteration's end; how many VUs
 * are active now; the End line, with which all is written out. */
void emit_start(struct emit *e);
void emit_request(struct emit *e, const struct swarm_request *r,
    const struct swarm_reply *reply);
void emit_iteration(struct emit *e, const struct emit_iteration *i);
void emit_vus(struct emit *e, int active);
void emit_end(struct emit *e, int exit_status);

/* Write out what is due at now_ns (monotonic); INT64_MAX: everything. Waits
 * as long as the reader does not read. A failure is kept in e->error, and
 * later output thrown away; if the reader has gone, the process ends by
 * SIGPIPE, and after a second signal with EXIT_INTERRUPTED. */
void emit_flush(struct emit *e, int64_t now_ns);

/* When emit_flush has work to do; INT64_MAX: not before more is made. */
int64_t emit_due_ns(const struct emit *e);

#endif
