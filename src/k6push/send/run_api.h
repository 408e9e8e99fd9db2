/* SPDX-License-Identifier: MIT */
/* run_api: a run on the server, from its creation to its finish. */
#ifndef K6PIPE_K6PUSH_SEND_RUN_API_H
#define K6PIPE_K6PUSH_SEND_RUN_API_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "data/run.h"
#include "data/settings.h"
#include "io/fetch.h"

enum run_api_state {
	RUN_API_IDLE,	/* no call yet */
	RUN_API_CALLING,	/* a call is under way */
	RUN_API_WAITING,	/* it failed, or a person must act: it will be
				   tried again */
	RUN_API_CREATED,	/* the run exists */
	RUN_API_FINISHED,	/* and has been finished */
	RUN_API_FAILED,	/* the server said no: nothing can go on */
};

/* What the run is created from. */
struct run_plan {
	const char *name;
	int64_t vus;
	int64_t duration_ns;	/* 0: unknown */
	struct span thresholds;	/* JSON object metric -> [source] */
	bool is_shared;		/* several feed it: the server judges */
};

/* Both borrowed, until run_api_free(). */
struct run_api_config {
	struct fetcher *fetcher;
	struct settings *settings;	/* the server's overrides go in */
	bool allows_http;	/* a token may go over plain http anywhere */
	bool is_patient;	/* where a person must act, wait for it */
	const char *remote;	/* URL of a receiver that has no API: the run
				 * is only a name. NULL: there is one */
};

/* The run as it is known. Texts are good until run_api_free(). */
struct run_facts {
	const char *id;		/* NULL until RUN_API_CREATED; */
	const char *escaped_id;	/* for URLs */
	const char *ingest_host;	/* that takes the samples */
	const char *page_url;
	const char *database;	/* of the server, which has it; NULL: it did
				   not say, or not yet */
	struct span config;	/* the server's override: JSON; n 0: none */
	bool is_borrowed;	/* PUSH_REF_ID: not ours to finish */
	bool is_removed;	/* the server has removed it */
	bool is_announced;	/* run_api_announce() had an answer, or a
				 * failure */
	const char *own_instance;	/* to tell our samples from those of
					 * another of the announced name; NULL:
					 * none is known of */
	int run_status, result_status;	/* as the server ended it; 0 */
	bool has_stored;	/* the server told what it stored of ours: */
	int64_t stored_requests;
	int64_t stored_batches;	/* ours are no more; -1: it did not tell */
	int64_t unknown;	/* thresholds that it could not judge */
};

/* Take host and token from settings; the caller frees it. All functions are
 * for one thread. NULL, why: they are not to be used. */
struct run_api *run_api_new(
    const struct run_api_config *config, struct why *why);
void run_api_free(struct run_api *c);	/* NULL is none */

enum run_api_state run_api_state(const struct run_api *c);
struct run_facts run_api_facts(const struct run_api *c);

/* The server as it was before any override. Good until run_api_free(). */
const char *run_api_host(const struct run_api *c);

/* Create the run, or take the one of PUSH_REF_ID. The key is borrowed. */
void run_api_create(struct run_api *c, const struct run_plan *plan,
    const char *key);

/* A run that exists. */
struct run_known {
	const char *id;
	const char *database;	/* NULL: not known */
	struct span config;	/* override that its creation brought; n 0 */
	bool is_borrowed;
	const char *from;	/* for messages: where its id stands */
};

void run_api_adopt(struct run_api *c, const struct run_known *known);

/* As the pusher of that name, tell the server that we feed a run which is not
 * ours, without waiting for the answer. Without one run_api_start() tries it
 * again; servers of others do not know the call. The id names this push, also
 * after a resume: another push may have the name, too. Both texts outlive c. */
void run_api_announce(struct run_api *c, const char *instance,
    const char *id);

/* How a run ended. */
struct run_result {
	int run_status, result_status;
	struct span thresholds;	/* JSON object metric -> {source: has failed} */
	int64_t start_ns, end_ns;	/* when it was; 0: not known */
	bool is_dated;		/* the server's dates become these */
	bool is_worst;		/* or the state of an instance, if worse */
};

/* Finish it; or, of a run that is not ours, tell our own end as the announced
 * instance. The key is borrowed. */
void run_api_finish(struct run_api *c, const struct run_result *result,
    const char *key);

/* Make the calls that are due, if any. */
void run_api_start(struct run_api *c);

#endif
