/* SPDX-License-Identifier: MIT */
/*
 * run_settings_offer: what a client that creates a run gets: settings that
 * override its own, and lines for its log (PROTOCOL 3.2). It is set once, from
 * options.
 */
#ifndef K6PIPE_K6SERVE_INGEST_RUN_SETTINGS_OFFER_H
#define K6PIPE_K6SERVE_INGEST_RUN_SETTINGS_OFFER_H

#include "base/opt.h"
#include "data/jsn.h"

/* A zeroed struct offers nothing. */
struct offer {
	struct buf config;	/* members of an object; n 0: none */
	struct buf logs;	/* elements of an array; n 0: none */
};

void offer_release(struct offer *o);

/* Take options: KEY=VALUE with a key of k6's config file, and [LEVEL:]TEXT
 * with a level of k6's log. -1: why names the one that is wrong. */
int offer_set(struct offer *o, const struct opt_list *config,
    const struct opt_list *logs, struct why *why);

/* Write the members of "metrics" in the newer API's runtime_config (PROTOCOL
 * 5.7), all of them; null: not offered. */
void offer_put_runtime(const struct offer *o, struct jsn_out *out);

/* Write the members of "config", and the member "logs" if there are any. */
void offer_put_config(const struct offer *o, struct jsn_out *out);
void offer_put_logs(const struct offer *o, struct jsn_out *out);

#endif
