/* SPDX-License-Identifier: MIT */
/* instances: the pushers that feed one run at the same time. */
#ifndef K6PIPE_K6SERVE_INGEST_INSTANCES_H
#define K6PIPE_K6SERVE_INGEST_INSTANCES_H

#include "base/buf.h"
#include "k6serve/http/call.h"
#include "k6serve/store/store_run.h"

/* Take the state of one: {"name", "run_status" (2: it runs), "result_status",
 * "thresholds"}. The last word of each counts. */
void instances_answer(struct call *c);

/* The push that sends a batch, by the id of its instance: of the header
 * K6push-Id; n 0: it does not say. */
struct span instances_push(const struct call *c);

/* Make run's state the worst of its own and its instances'; one that never
 * told its end was aborted. Thresholds are the first that somebody told, kept
 * in results. -1: the reply says why. */
int instances_worst(struct call *c, struct store_run *run,
    struct buf *results);

#endif
