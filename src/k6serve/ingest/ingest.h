/* SPDX-License-Identifier: MIT */
/* ingest: what both metrics protocols have in common when they are received. */
#ifndef K6PIPE_K6SERVE_INGEST_INGEST_H
#define K6PIPE_K6SERVE_INGEST_INGEST_H

#include "data/jsn.h"
#include "k6serve/http/call.h"
#include "k6serve/http/digest.h"
#include "k6serve/ingest/batch.h"
#include "k6serve/ingest/run_settings_offer.h"
#include "k6serve/store/store_run.h"

/* What runs are offered and may have: the ctx of the two tables of routes, set
 * before the server starts and constant from then on. */
struct ingest_config {
	struct offer offer;	/* to clients that make runs */
	int64_t max_series;	/* of a run; the rest overflows */
};

extern const struct route ingest_routes[], provision_routes[];

/* That of a call to one of them. */
const struct ingest_config *ingest_config_of(const struct call *c);

/* POST /v1/tests: a run is made, of JSON or of a form. */
void ingest_create(struct call *c);

/* The key of a call and of all its retries: that of its header, or, where a
 * proxy took it away, of its query. n 0: it has none. */
struct span ingest_key(const struct call *c);

/* The request's body without its compression, in place or in out. -1: the
 * reply says why not. */
int ingest_plain_body(struct call *c, struct span *body, struct buf *out);

/* Read a member's value: a whole number, an object as it stands. What is none
 * is passed over, *to stays. */
void ingest_read_int(struct jsn *j, int64_t *to);
void ingest_read_object(struct jsn *j, struct span *to);

/* At the end of a body: -1, and the reply tells where it is no JSON. */
int ingest_check_json(struct call *c, struct jsn *j);

/* Cut a name that nobody can read, between two characters; one of blanks is
 * none. */
void ingest_shorten(struct buf *name);

/* A plan of thresholds is not too long to be shown. */
bool ingest_plan_fits(struct span thresholds);

/* Make a run for the caller, whom the request tells, once for each idempotency
 * key (STORE_DUPLICATE); r->id becomes its number. */
enum store_result ingest_add(struct call *c, struct store_run *r,
    struct why *why);

/* Add a batch to the run of the path, once for each idempotency key; the
 * digest of the body of which it was made tells a repetition from a mistake.
 * The reply says how it went. */
void ingest_store(struct call *c, struct batch *batch,
    const unsigned char digest[DIGEST_BYTES]);

/* POST /v2/metrics/RUN (PROTOCOL 5.1). */
void ingest_v2(struct call *c);

#endif
