/* SPDX-License-Identifier: MIT */
/*
 * store_load_test: what k6's newer API calls a load test, a name in a project,
 * and the runs that were started of it. Load tests have owners as runs do.
 */
#ifndef K6PIPE_K6SERVE_STORE_STORE_LOAD_TEST_H
#define K6PIPE_K6SERVE_STORE_STORE_LOAD_TEST_H

#include "base/buf.h"
#include "k6serve/store/store.h"

struct store_load_test {
	int64_t id, project, created_ns;
	struct span name, owner;
};

/* Make one, of t->owner; t->id becomes its number. STORE_CONFLICT: owner sees
 * one of that name in the project. */
enum store_result store_load_test_add(struct store *s, const char *owner,
    struct store_load_test *t, struct why *why);

struct store_load_test_query {
	const char *owner;
	int64_t project;
	struct span name;	/* n 0: any */
};

/* Hand out each, the newest first; what it points to dies with the call. A
 * return other than 0 ends the walk with that value; -1 is a failure. */
typedef int store_load_test_each(void *ctx, const struct store_load_test *t);
int store_load_tests(struct store *s, const struct store_load_test_query *q,
    store_load_test_each *each, void *ctx, struct why *why);

/* Hand out the projects of load tests and runs, by number; t has project and
 * created_ns, of the oldest thing in it. Returns as store_load_tests. */
int store_projects(struct store *s, const char *owner,
    store_load_test_each *each, void *ctx, struct why *why);

/* Fill in project and created_ns, and append the name of the load test t->id to
 * an empty buf, in which t->name then stands. STORE_NO_RUN: the owner sees
 * none. */
enum store_result store_load_test_get(struct store *s, const char *owner,
    struct store_load_test *t, struct buf *name, struct why *why);

/* A run that was started, and the hash of the token that is good for it
 * alone. */
struct store_started {
	int64_t run, load_test;
	unsigned char hash[STORE_DIGEST];
};

/* Note it, in the place of an earlier one of the run. */
enum store_result store_started_put(struct store *s,
    const struct store_started *r, struct why *why);

/* Find that of r->run and append the run's owner to an empty buf (NULL: not
 * wanted). 1; 0: the run was not started so, or is not there; -1: why. */
int store_started_get(struct store *s, const char *owner,
    struct store_started *r, struct buf *run_owner, struct why *why);

#endif
