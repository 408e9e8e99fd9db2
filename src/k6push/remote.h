/* SPDX-License-Identifier: MIT */
/* remote: what a push by remote write uses in place of the cloud's API. */
#ifndef K6PIPE_K6PUSH_REMOTE_H
#define K6PIPE_K6PUSH_REMOTE_H

#include "base/opt.h"
#include "io/fetch.h"
#include "k6push/read/running.h"
#include "k6push/send/receiver.h"
#include "k6push/wire/wire.h"

/* A zeroed struct is a push to the cloud. */
struct remote {
	bool is_chosen;
	struct settings *settings;	/* borrowed */
	struct running_config config;
	struct fetch_access access;
	struct opt_list headers;	/* of access; lines are owned */
	char *sigv4;			/* likewise */
	char *testid;			/* owned */
};

/* Take what the settings and the environment say. Nothing is done if they
 * choose the cloud. -1: why, a setting is none. */
int remote_init(struct remote *r, struct settings *s, struct why *why);
void remote_release(struct remote *r);

/* Add to the options of a fetcher what the settings say. */
void remote_fetch_options(const struct remote *r, struct fetch_options *o);

/* Ask the receiver whether it is one, by a write of nothing, for a short while.
 * -1: why: it is none, or a person must act first. No answer is no verdict. */
int remote_probe(struct remote *r, struct fetcher *f, struct why *why);

/* upload_target.learn; ctx is the struct remote. */
bool remote_learn(void *ctx, const struct wire_message *m,
    const struct fetch_reply *reply);

#endif
