/* SPDX-License-Identifier: MIT */
/* swarm_priv: what swarm.c and swarm_reply.c share. Nobody else includes it. */
#ifndef K6PIPE_IO_SWARM_PRIV_H
#define K6PIPE_IO_SWARM_PRIV_H

#include <curl/curl.h>

#include "base/buf.h"
#include "io/swarm.h"

struct user {
	struct swarm *swarm;
	CURL *easy;
	CURLSH *connections;	/* a connection pool of its own */
	bool is_busy;
	bool is_tls;
	bool may_repeat;	/* if a kept connection proves dead */
	int os_error;		/* why there was no socket */
	/* Monotonic times; 0: it did not come to this. */
	int64_t start_ns, ready_ns, sent_ns, first_ns;
	int64_t timeout_ns;
	struct swarm_bytes bytes;
	struct curl_slist *headers;	/* of its request alone; or NULL */
	struct buf body;	/* as far as it is kept */
	int64_t body_bytes;
	char ip[64];
	char tls_version[16];
	char error[CURL_ERROR_SIZE];
	char explained[128];	/* backs a reply's error */
};

/* A number that curl has of the user's request. */
int64_t swarm_info(const struct user *u, CURLINFO which);

/* Fill in what came of a request that curl says is over: all but user. Must
 * be called before the request is taken off the multi handle. */
void swarm_read_reply(struct user *u, CURLcode code, struct swarm_reply *r);

#endif
