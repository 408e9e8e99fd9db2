/* SPDX-License-Identifier: MIT */
/*
 * provision: k6's newer API, as far as `k6 cloud run --local-execution` uses
 * it (PROTOCOL 5.7). A load test is found or made, a run of it is started with
 * a token that is good for that run alone, and that token ends it. The answers
 * have every member that the vendor's client library requires.
 */
#ifndef K6PIPE_K6SERVE_INGEST_PROVISION_H
#define K6PIPE_K6SERVE_INGEST_PROVISION_H

#include "k6serve/http/call.h"
#include "k6serve/http/digest.h"
#include "k6serve/store/store_load_test.h"
#include "k6serve/store/store_run.h"

/* Write a member that is null. */
void provision_null(struct jsn_out *o, const char *key);

/* To runs that were started by this API k6 sends batches without keys, and
 * repeats one that it has no answer to. They have times in them, so equal bytes
 * are the same batch: print the digest as its key. False: the run of the path
 * was not started so, or that cannot be told. */
enum { PROVISION_KEY = 2 * DIGEST_BYTES + 1 };
bool provision_key(const struct call *c,
    const unsigned char digest[DIGEST_BYTES], char key[PROVISION_KEY]);

enum {
	PROVISION_PROJECT = 1,		/* the default one */
	PROVISION_ID_MAX = INT32_MAX,	/* the client's numbers have 32 bits */
};

/* Write a load test, a run with the number of its load test (0: none); ctx of
 * the latter's page is c. */
void provision_put_load_test(struct jsn_out *o,
    const struct store_load_test *t);
void provision_put_run(const struct call *c, struct jsn_out *o,
    const struct store_run *run, int64_t load_test);

/* Is the number of the path that of a project? Each is one. If not, the reply
 * says so. */
bool provision_is_project(struct call *c);

/* Answers, of any run: its state, its end, its removal, its note, and that it
 * is to end. */
void provision_show(struct call *c);
void provision_notify(struct call *c);
void provision_remove(struct call *c);
void provision_change(struct call *c);
void provision_abort(struct call *c);

/* Answers that say what there is not: stars and saved runs, scripts, load
 * zones. */
void provision_mark(struct call *c);
void provision_script(struct call *c);
void provision_distribution(struct call *c);

/* Answers: lists, in pages of $skip and $top; a load test. */
void provision_runs(struct call *c);
void provision_load_tests(struct call *c);
void provision_load_test(struct call *c);
void provision_projects(struct call *c);
void provision_load_zones(struct call *c);

#endif
