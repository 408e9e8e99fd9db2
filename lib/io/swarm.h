/* SPDX-License-Identifier: MIT */
/*
 * swarm: N virtual users that make HTTP requests, each one at a time, in one
 * thread. A user's connections are kept alive, and are never used by another
 * user. Redirects are reported, not followed. A request that fails is a reply
 * too, with k6's error code (PROTOCOL 1.7).
 */
#ifndef K6PIPE_IO_SWARM_H
#define K6PIPE_IO_SWARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/why.h"
#include "data/trail.h"

struct swarm;

struct swarm_options {
	int n_users;
	const char *const *headers;	/* "Name: value", of every request */
	size_t n_headers;
	const char *user_agent;
	const char *ca_file;	/* NULL: the system's */
	bool is_insecure;	/* take any certificate */
};

/* Headers of the options that one request goes without. */
enum {
	SWARM_NO_SECRETS = 1,	/* Authorization, Cookie: another origin */
	SWARM_NO_CONTENT = 2,	/* Content-*: the body was dropped */
};

/* All memory is borrowed until the reply. */
struct swarm_request {
	const char *method;
	const char *url;
	struct span body;	/* p NULL: none */
	unsigned leave_out;	/* SWARM_NO_* */
	int64_t timeout_ns;	/* > 0 */
};

/* Lives as long as the call that hands it over. */
struct swarm_reply {
	int user;
	int status;		/* HTTP status; 0: the request failed */
	int error_code;		/* k6's; 0: no error */
	const char *error;	/* NULL unless the request failed */
	int os_error;		/* errno of a failure, where known */
	const char *proto;	/* "HTTP/1.1"; NULL if it failed */
	const char *tls_version;	/* "tls1.3"; NULL without TLS */
	const char *location;	/* the header's value; NULL without one */
	int64_t time_ns;	/* Unix time of the end of the body */
	int64_t ns[TIMINGS];	/* of a failure: as far as it came */
};

/* Bytes that a user's requests have moved so far, headers included. */
struct swarm_bytes {
	int64_t sent, received;
};

typedef void swarm_done(void *ctx, const struct swarm_reply *reply);

/* Options are copied. NULL: why (no memory, or no file for epoll). The caller
 * frees the swarm; requests under way end then without a reply. */
struct swarm *swarm_new(const struct swarm_options *o, swarm_done *done,
    void *ctx, struct why *why);
void swarm_free(struct swarm *s);	/* NULL is allowed */

/* Let user 0..n-1, who has no request under way, make one; whatever is wrong
 * with it becomes its reply. May be called from within done. */
void swarm_send(struct swarm *s, int user, const struct swarm_request *r);

/* Give up a user's request, if one is under way: its connection is closed, no
 * reply comes. */
void swarm_cancel(struct swarm *s, int user);

/* Forget a user's cookies. */
void swarm_forget(struct swarm *s, int user);

struct swarm_bytes swarm_bytes(const struct swarm *s, int user);

/* Wait up to wait_ns (0 or less: not at all) for something to do, and do it;
 * replies are handed to done from in here. 0: also after a signal, which ends
 * the wait. -1: epoll failed, why says how; the swarm can only be freed. */
int swarm_wait(struct swarm *s, int64_t wait_ns, struct why *why);

#endif
