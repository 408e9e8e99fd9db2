/* SPDX-License-Identifier: MIT */
/* run: the Start and End lines of a stream, and the states of a run. */
#ifndef K6PIPE_DATA_RUN_H
#define K6PIPE_DATA_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/why.h"

/* Header of each request about a run whose server told its database: a server
 * that has another one now must not take it for its own run of that number
 * (PROTOCOL 3.8). */
#define RUN_DATABASE_HEADER "K6push-Database"

/* The header that says which push sends a batch to a run that several feed. */
#define RUN_PUSH_HEADER "K6push-Id"

/* run_status of the cloud API (PROTOCOL 3.4, 7). */
enum run_status {
	RUN_CREATED = -2, RUN_VALIDATED = -1, RUN_QUEUED = 0,
	RUN_INITIALIZING = 1, RUN_RUNNING = 2, RUN_FINISHED = 3,
	RUN_TIMED_OUT = 4, RUN_ABORTED_BY_USER = 5,
	RUN_ABORTED_BY_SYSTEM = 6, RUN_ABORTED_BY_SCRIPT_ERROR = 7,
	RUN_ABORTED_BY_THRESHOLD = 8, RUN_ABORTED_BY_LIMIT = 9,
};

/* "Running", "Finished", "Aborted by User"; "Unknown" for other numbers. */
const char *run_status_name(int status);

/* Of two ways to end, the one that a person must hear of. */
int run_status_worse(int a, int b);

/* The header that k6gen writes. Text is plain, not escaped; spans are
 * borrowed, of the line after run_start_parse. */
struct run_start {
	struct span name;
	struct span executor;	/* k6's: constant-vus, shared-iterations */
	struct span tool;	/* "k6gen 0.1.0" */
	struct span host;	/* where the load was made */
	struct span thresholds;	/* JSON object: metric -> [source]; {} */
	int64_t time_ns;
	int64_t vus;		/* most VUs at a time */
	int64_t duration_ns;	/* with graceful stop; 0: unknown */
	int64_t iterations;	/* 0: not limited */
};

/* The trailer: how the run ended, and the books so far. */
struct run_end {
	struct span tool;	/* the last writer */
	struct span thresholds;	/* JSON: metric -> {source: has failed}; {} */
	int64_t time_ns;
	int64_t start_ns;	/* of a stream without Start; 0: not told */
	int run_status;
	int result_status;	/* 1: a threshold was crossed */
	int exit_code;
	int64_t streams;	/* Start lines that this trailer closes */
	int64_t points;		/* Point lines made */
	int64_t requests;	/* http_reqs made */
	bool is_books;		/* k6agg's alone: no generator told its end */
	/* k6agg adds; all 0 without it */
	int64_t folded;		/* requests inside aggregates */
	int64_t passed;		/* requests passed as they are */
	int64_t dropped;	/* requests left out by choice */
	int64_t points_dropped;	/* the same of points, with theirs */
	int64_t late;		/* of both: behind their bucket's closing */
	int64_t skipped;	/* lines that were no line of the stream */
};

/* Write the line with its '\n'. */
void run_start_print(const struct run_start *r, struct buf *out);
void run_end_print(const struct run_end *r, struct buf *out);

/* Read the value of the line's "data" member. Absent members are 0 or empty.
 * Names with escapes are unescaped into text, which the caller owns and keeps
 * as long as r. */
int run_start_parse(struct run_start *r, struct span data, struct buf *text,
    struct why *why);
int run_end_parse(struct run_end *r, struct span data, struct why *why);

/* The trailers of joined streams as one: counts add up, the worse state wins,
 * the first that has thresholds gives them. A zeroed struct has none. */
struct run_ends {
	int n;
	struct run_end end;	/* all of them; zeroed while n is 0 */
	struct buf thresholds;	/* what end.thresholds points to */
};

/* Append how a stream of so many Start lines and these trailers was cut, for
 * people. False: it is whole. */
bool run_tell_cut(int64_t starts, const struct run_ends *ends,
    struct buf *out);

/* The first input whose Start line has no End line yet, and the first whose
 * End line had no Start line. A zeroed struct has none. */
struct run_cuts {
	int64_t starts, ends;	/* so many of each */
	const char *start_input, *end_input;	/* borrowed; NULL: none */
};

/* Note a Start line of the input, or an End line that is for so many. */
void run_cuts_start(struct run_cuts *c, const char *input);
void run_cuts_end(struct run_cuts *c, int64_t streams, const char *input);

void run_ends_add(struct run_ends *ends, const struct run_end *end);
void run_ends_release(struct run_ends *ends);

#endif
