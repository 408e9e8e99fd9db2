/* SPDX-License-Identifier: MIT */
/*
 * store: runs and their data in one database file. SQLite stays in here. A
 * function that changes something returns after its transaction is on disk,
 * unless it is part of a group. Not for several threads at a time; several processes may share the file.
 */
#ifndef K6PIPE_K6SERVE_STORE_STORE_H
#define K6PIPE_K6SERVE_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/why.h"
#include "data/metric.h"
#include "data/sink.h"
#include "data/trail.h"

#define STORE_DIGEST 32		/* bytes of a token's or a body's hash */

struct store;

enum store_result {
	STORE_DONE,
	STORE_DUPLICATE,	/* was done before; nothing changed */
	STORE_CONFLICT,		/* same key, other content */
	STORE_NO_RUN,
	STORE_ENDED,		/* the run takes no more */
	STORE_FULL,		/* no room on disk, or it cannot be written */
	STORE_FAILED,
};

/* Open the file, made with mode 0600 if it is not there, with the tables of
 * schema. A file that is no database of ours, or of a newer version, is left
 * as it is. NULL: why. */
struct store *store_open(const char *path, struct span schema,
    struct why *why);
void store_close(struct store *s);

/* Another one on the same file, for another thread. A process must open a file
 * only once with store_open: closing the descriptor that looks at it first
 * would give up the locks of the other store (fcntl(2)). */
struct store *store_open_again(const struct store *s, struct why *why);

/* What is changed from begin to end goes to disk at the end, or not at all:
 * a function that fails in between, not for what it was asked but for the
 * database, makes the end fail too. -1: why, nothing was changed. */
int store_group_begin(struct store *s, struct why *why);
int store_group_end(struct store *s, struct why *why);

/* Tokens. Adding a known name, or removing an unknown one, fails. */
struct store_token {
	const char *name, *owner;
	const unsigned char *hash;	/* STORE_DIGEST bytes */
	int64_t created_ns;
};

int store_token_add(struct store *s, const struct store_token *t,
    struct why *why);
int store_token_remove(struct store *s, const char *name, struct why *why);

/* Hand out each row; what it points to dies with the call. A return other
 * than 0 ends the walk with that value; -1 is a failure. */
typedef int store_token_each(void *ctx, const struct store_token *t);
int store_tokens(struct store *s, store_token_each *each, void *ctx,
    struct why *why);

/* A run; the members are those of schema.sql. */
struct store_run {
	int64_t id;
	struct span name, thresholds, results, note, agent, owner;
	int64_t project, vus, planned_s;
	int64_t created_ns, seen_ns, ended_ns, first_ns, last_ns;
	int64_t step_s, requests, points, version;
	int run_status, result_status;
	bool is_late;
};

/* Make a run; r->id becomes its number. STORE_DUPLICATE: the key made that
 * run before. An empty key is none. */
enum store_result store_run_add(struct store *s, struct store_run *r,
    struct span key, struct why *why);

/* End the run r->id with r's run_status, result_status, results, ended_ns, and
 * created_ns if it is not 0. STORE_ENDED: it was before, nothing changed. */
enum store_result store_run_end(struct store *s, const struct store_run *r,
    struct why *why);

/* One of those who feed a run. */
struct store_instance {
	int64_t run;
	struct span name, results;
	int run_status;		/* RUN_RUNNING: it has not told its end */
	int result_status;
	int64_t seen_ns;
};

/* Keep its state, in the place of an earlier one. */
enum store_result store_instance_put(struct store *s,
    const struct store_instance *i, struct why *why);

/* Hand out each, by name. */
typedef int store_instance_each(void *ctx, const struct store_instance *i);
int store_instances(struct store *s, int64_t run, store_instance_each *each,
    void *ctx, struct why *why);

/* A load test of k6's newer API: a name in a project, of which runs are
 * started. They have owners as runs do. */
struct store_load_test {
	int64_t id, project, created_ns;
	struct span name, owner;
};

/* Make one; t->id becomes its number. STORE_CONFLICT: the view has one of that
 * name in the project. */
enum store_result store_load_test_add(struct store *s,
    struct store_load_test *t, struct why *why);

/* Hand out those of a project in the view, the newest first and 1000 at most;
 * with a name, n != 0, those of that name alone. */
typedef int store_load_test_each(void *ctx, const struct store_load_test *t);
int store_load_tests(struct store *s, int64_t project, struct span name,
    store_load_test_each *each, void *ctx, struct why *why);

/* Append the name of one to an empty buf. STORE_NO_RUN: the view has none. */
enum store_result store_load_test_get(struct store *s, int64_t id,
    struct buf *name, int64_t *project, struct why *why);

/* The run of such a start, and the hash of the token that is good for it
 * alone. */
struct store_started {
	int64_t run, load_test;
	unsigned char hash[STORE_DIGEST];
};

/* Note it, in the place of an earlier one of the run. */
enum store_result store_started_put(struct store *s,
    const struct store_started *r, struct why *why);

/* Find that of r->run, whatever the view, and append the run's owner to an
 * empty buf. 1; 0: the run was not started so; -1: why. */
int store_started_get(struct store *s, struct store_started *r,
    struct buf *owner, struct why *why);

/* Replace the note of a run, or remove it with all its data. STORE_NO_RUN:
 * there is none. */
enum store_result store_run_note(struct store *s, int64_t run,
    struct span note, struct why *why);
enum store_result store_run_remove(struct store *s, int64_t run,
    struct why *why);

/* Values of one series in one second. */
struct store_row {
	struct span metric;
	enum metric_type type;
	struct span tags;	/* JSON; n 0: all tag sets together */
	int64_t second;
	const struct sink *sink;
	int64_t series;		/* its number in the store, when read */
};

/* One request; of a run the slowest are kept. */
enum { STORE_SLOW = 100 };

struct store_slow {
	int64_t time_ns;
	int64_t ns[TIMINGS];
	int failed;		/* as in struct trail */
	struct span tags;	/* JSON */
};

struct store_batch {
	int64_t run;
	struct span key;		/* n 0: none */
	const unsigned char *digest;	/* of the body */
	/* Those of a tag set stand together, in it those of a series, in it
	 * those of a second. */
	const struct store_row *rows;
	size_t n;
	const struct store_slow *slow;	/* candidates, in any order */
	size_t n_slow;
	int64_t max_series;	/* of the run; see STORE_OVERFLOW */
	int64_t requests, points;	/* for the books */
	int64_t first_ns, last_ns;	/* times of samples; 0: none */
	int64_t step_s;
	int64_t now_ns;
};

/* A series is a metric with one tag set. When a run has max_series of them, no
 * others are made: what belongs there is added to this tag set instead, which
 * does not count. New tag sets come in with all their metrics or not at all. */
#define STORE_OVERFLOW "{\"name\":\"__other__\"}"

/* Add all of it to the run, or nothing. */
enum store_result store_batch_add(struct store *s,
    const struct store_batch *b, struct why *why);

/* Runs that are open and were not seen since then become timed out; data that
 * comes later opens them again and makes them late. */
int store_expire(struct store *s, int64_t seen_ns, struct why *why);

/* Remove the run that was seen longest ago and is not open, if it was not seen
 * since then, or if the data takes more than max bytes. 1: it is removed; 0:
 * there is none; -1: why. */
int store_retain(struct store *s, int64_t seen_ns, int64_t max,
    struct why *why);

/* From now on these are only the runs of owner, and those of nobody; NULL: all
 * again. The text is borrowed. */
void store_view(struct store *s, const char *owner);

/* Is it one of them? STORE_DONE, or STORE_NO_RUN. */
enum store_result store_find(struct store *s, int64_t run, struct why *why);

/* Read. Runs come newest first, those of the view; id 0 is all of them, at most limit. */
typedef int store_run_each(void *ctx, const struct store_run *r);
int store_runs(struct store *s, int64_t id, int64_t limit,
    store_run_each *each, void *ctx, struct why *why);

/* What to read of a run. */
struct store_query {
	int64_t run;
	const char *metric;	/* NULL: all, for store_series if is_whole */
	bool is_whole;		/* all tag sets together, not each */
	bool has_no_hist;	/* leave histograms empty: much quicker */
};

/* Whole run; tags n 0 when is_whole. Ordered by metric. */
typedef int store_row_each(void *ctx, const struct store_row *row);
int store_series(struct store *s, const struct store_query *q,
    store_row_each *each, void *ctx, struct why *why);

/* The run's slowest requests, the slowest first. */
typedef int store_slow_each(void *ctx, const struct store_slow *slow);
int store_slowest(struct store *s, int64_t run, store_slow_each *each,
    void *ctx, struct why *why);

/* How many values of the run went to STORE_OVERFLOW; -1: why. */
int64_t store_overflow(struct store *s, int64_t run, struct why *why);

/* Second by second, in order. */
int store_points(struct store *s, const struct store_query *q,
    store_row_each *each, void *ctx, struct why *why);

/* The same of one series, which a row named; type must be that row's. */
int store_points_of(struct store *s, int64_t series, enum metric_type type,
    store_row_each *each, void *ctx, struct why *why);

/* Of one series only sum and count, which is quicker still. */
typedef int store_sum_each(void *ctx, int64_t second, double sum,
    uint64_t count);
int store_sums(struct store *s, int64_t series, store_sum_each *each,
    void *ctx, struct why *why);

#endif
