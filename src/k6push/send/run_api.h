/* SPDX-License-Identifier: MIT */
/* run_api: a run on the server, from its creation to its finish. */
#ifndef K6PIPE_K6PUSH_SEND_RUN_API_H
#define K6PIPE_K6PUSH_SEND_RUN_API_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/opt.h"
#include "data/run.h"
#include "data/settings.h"
#include "io/fetch.h"

enum run_api_state {
	RUN_API_IDLE,	/* no call yet */
	RUN_API_CALLING,	/* a call is under way */
	RUN_API_WAITING,	/* it failed and will be tried again */
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
};

struct run_api {
	struct fetcher *fetcher;
	struct settings *settings;	/* the server's overrides go in */
	enum run_api_state state;
	bool is_finishing;	/* the call is that of finish */
	bool is_borrowed;	/* PUSH_REF_ID: not ours to finish */
	const char *instance;	/* borrowed; NULL: none announced */
	struct buf announcement;
	int run_status, result_status;	/* as the server ended it; 0 */
	bool allows_http;	/* a token may go over plain http anywhere */
	char *host, *token;	/* as they were before any override */
	char *url;		/* of the call */
	char *ingest_host;	/* that takes the samples */
	char *page_url;
	char *id, *escaped_id;	/* the latter for URLs */
	struct buf config;	/* the server's override: JSON object */
	const char *key;	/* of the call: the same over all tries */
	struct buf body;
	int failures;
	int64_t retry_at_ns;
	bool has_stored;	/* the server told what it stored: */
	int64_t stored_requests;
};

/* Take host and token from settings. -1: they are not to be used. */
int run_api_init(struct run_api *c, struct fetcher *fetcher,
    struct settings *settings, bool allows_http, struct why *why);
void run_api_release(struct run_api *c);

/* Create the run, or take the one of PUSH_REF_ID. The key is borrowed. */
void run_api_create(struct run_api *c, const struct run_plan *plan,
    const char *key);

/* Take a run that exists, with the override that its creation brought (n 0:
 * none). from, for messages, is where its id stands. */
void run_api_adopt(struct run_api *c, const char *id, struct span config,
    const char *from);

/* As the pusher of that name, tell the server that we feed a run which is not
 * ours. Once, and without waiting: servers of others do not know it. */
void run_api_announce(struct run_api *c, const char *instance);

/* How a run ended. */
struct run_result {
	int run_status, result_status;
	struct span thresholds;	/* JSON object metric -> {source: has failed} */
	int64_t start_ns, end_ns;	/* when it was; 0: as the server saw */
	bool is_worst;		/* or the state of an instance, if worse */
};

/* Finish it; or, of a run that is not ours, tell our own end as the announced
 * instance. The key is borrowed. */
void run_api_finish(struct run_api *c, const struct run_result *result,
    const char *key);

/* Make the call that is due, if any. */
void run_api_start(struct run_api *c);

/* Thresholds of "metric=source" options as the JSON object of run_plan. -1:
 * one lacks its '='. */
int thresholds_from_options(const struct opt_list *list, struct buf *out,
    struct why *why);

#endif
