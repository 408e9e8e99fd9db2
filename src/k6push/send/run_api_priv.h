/* SPDX-License-Identifier: MIT */
/* run_api_priv: what run_api.c and run_api_reply.c share. */
#ifndef K6PIPE_K6PUSH_SEND_RUN_API_PRIV_H
#define K6PIPE_K6PUSH_SEND_RUN_API_PRIV_H

#include "k6push/send/outcome.h"
#include "k6push/send/run_api.h"

struct run_api {
	struct fetcher *fetcher;
	struct settings *settings;
	enum run_api_state state;
	bool is_finishing;	/* the call is that of finish */
	bool is_borrowed;
	bool is_removed;	/* from the server */
	bool has_no_api;
	const char *instance;	/* borrowed; NULL: none announced */
	const char *instance_id;
	char *own_instance;	/* where another has it, too; or NULL */
	struct buf announcement;
	bool is_announcing;	/* the call is under way */
	bool is_announced;	/* answered, or nobody knows such a call */
	int announce_failures;
	int64_t announce_at_ns;	/* not before */
	int run_status, result_status;
	int64_t unknown;	/* thresholds, says the server */
	bool allows_http, is_patient;
	char *host, *token;	/* as they were before any override */
	char *url;		/* of the call */
	char *ingest_host;
	char *page_url;
	char *id, *escaped_id;	/* the latter for URLs */
	char *database;		/* NULL: not known */
	struct buf config;
	const char *key;	/* of the call: the same over all tries */
	bool may_key_url;	/* create may have it in the URL, too */
	bool is_key_in_url;	/* of the next try */
	struct buf body;
	int failures;
	enum outcome told;	/* of the last failure */
	int64_t retry_at_ns;
	bool has_stored;
	int64_t stored_requests, stored_batches;	/* the latter: or -1 */
};

/* Note what the server says of its database; the first word counts. What is no
 * id, as it becomes part of a header, is passed over. */
void run_api_take_database(struct run_api *c, struct span id);

/* Heed the config that came with the run; n 0: none did. */
void run_api_take_config(struct run_api *c, struct span config);

/* The run is known. -1, told by where the id is from: one that does not fit
 * into URLs; the run has failed then. */
int run_api_take_id(struct run_api *c, const char *id, const char *from);

/* Answers, to the call that makes or ends the run, and to that which announces
 * a generator. ctx is the run_api. */
void run_api_on_reply(void *ctx, const struct fetch_reply *reply);
void run_api_on_announced(void *ctx, const struct fetch_reply *reply);

#endif
