/* SPDX-License-Identifier: MIT */
/* store_run: runs, from the call that makes one to its removal. */
#ifndef K6PIPE_K6SERVE_STORE_STORE_RUN_H
#define K6PIPE_K6SERVE_STORE_STORE_RUN_H

#include "base/buf.h"
#include "k6serve/store/store.h"
#include "k6serve/store/store_rolled.h"

/* The members are those of schema.sql. */
struct store_run {
	int64_t id;
	struct span name, thresholds, results, note, agent, owner;
	int64_t project, vus, planned_s;
	int64_t created_ns, seen_ns, ended_ns, start_ns, end_ns;
	struct store_extent data;
	int64_t step_s, requests, points, version, instances;
	int64_t judged_version;
	int run_status, result_status;
	bool is_late, is_judged, is_baseline;
};

/* Make a run, of r->owner; r->id becomes its number. STORE_DUPLICATE: the key
 * made that run before. An empty key is none. */
enum store_result store_run_add(struct store *s, struct store_run *r,
    struct span key, struct why *why);

/* End the run r->id with r's run_status, result_status, results, ended_ns,
 * start_ns, end_ns, and created_ns and thresholds unless they are 0 or empty.
 * STORE_ENDED: it was before, nothing changed. */
enum store_result store_run_end(struct store *s, const char *owner,
    const struct store_run *r, struct why *why);

/* Replace the note of a run. STORE_NO_RUN: it is not there. */
enum store_result store_run_note(struct store *s, const char *owner,
    int64_t run, struct span note, struct why *why);

/* Let it be the baseline of its name and owner, in place of another; or, if it
 * is, no longer. STORE_NO_RUN: it is not there. */
enum store_result store_run_set_baseline(struct store *s, const char *owner,
    int64_t run, bool is_baseline, struct why *why);

/* The baseline of a run's name and owner, which may be itself; 0: there is
 * none; -1: why. */
int64_t store_run_baseline(struct store *s, int64_t run, struct why *why);

/* Remove a run: its data goes later, by store_sweep. STORE_NO_RUN as above. */
enum store_result store_run_remove(struct store *s, const char *owner,
    int64_t run, struct why *why);

/* Remove a run, whoever owns it, if the lease of the store is still ours
 * (store_lease.h). */
enum store_result store_run_retire(struct store *s, int64_t run,
    struct why *why);

/* Is the run there? STORE_DONE, or STORE_NO_RUN. */
enum store_result store_run_find(struct store *s, const char *owner,
    int64_t run, struct why *why);

/* The same, and the key that made the run, appended; of a run that was made
 * without one: a random text, or nothing if it is from before these. */
enum store_result store_run_key(struct store *s, const char *owner,
    int64_t run, struct buf *key, struct why *why);

/* The number of the newest run of that name; an empty one: of any. 0: there is
 * none; -1: why. */
int64_t store_run_last(struct store *s, const char *owner, struct span name,
    struct why *why);

/* Of everybody's runs: was there one of that number, which is removed? 1; 0;
 * -1: why. */
int store_run_was(struct store *s, int64_t run, struct why *why);

struct store_run_query {
	const char *owner;
	int64_t id;	/* 0: all, */
	int64_t limit;	/* but no more than these */
};

/* Hand out each, the newest first; what it points to dies with the call. A
 * return other than 0 ends the walk with that value; -1 is a failure. */
typedef int store_run_each(void *ctx, const struct store_run *r);
int store_runs(struct store *s, const struct store_run_query *q,
    store_run_each *each, void *ctx, struct why *why);

/* Hand out everybody's runs, in the order of their numbers: their status, when
 * data last came or they were ended, by the clock of that day, and how far they
 * are rolled up (schema.sql). If only those that are running are wanted, which
 * is quicker, their first three members are known. A return other than 0 ends
 * the walk with that value; -1 is a failure. */
struct store_run_state {
	int64_t run;
	int run_status;
	int64_t seen_ns;
	int64_t created_ns, first_ns, last_ns;
	struct store_rolled rolled;
	bool is_rolling;	/* some of it is being joined */
};
typedef int store_state_each(void *ctx, const struct store_run_state *r);
int store_run_states(struct store *s, bool are_running,
    store_state_each *each, void *ctx, struct why *why);

/* Let a running run be timed out, if no data came since seen_ns; data that
 * comes later opens it again and makes it late. Only if the lease of the store
 * is still ours (store_lease.h). */
enum store_result store_run_time_out(struct store *s, int64_t run,
    int64_t seen_ns, struct why *why);

/* The runs that this store made, fed or ended since the last call, some of
 * them more than once: an array that the caller frees, and its length. */
size_t store_touched(struct store *s, int64_t **runs);

/* Bytes of the file that hold data; -1: why. Pages that became free are used
 * again, the file does not shrink. */
int64_t store_size(struct store *s, struct why *why);

#endif
