/* SPDX-License-Identifier: MIT */
/*
 * swarm: N virtual users that make HTTP requests, each one at a time, in one
 * thread; threads have a swarm each. A user's connections are kept alive, and
 * are not used by another user unless the options share them. Redirects are
 * reported, not followed. A request that fails is a reply too, with k6's
 * error code (PROTOCOL 1.7).
 */
#ifndef K6PIPE_K6GEN_HTTP_SWARM_H
#define K6PIPE_K6GEN_HTTP_SWARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/why.h"
#include "data/trail.h"

struct swarm;
struct user;

/* HTTP/2 where a TLS server offers it; never; also without TLS (h2c), at
 * once. */
enum swarm_http { SWARM_HTTP_OFFERED, SWARM_HTTP_1, SWARM_HTTP_2 };

/* A connection is kept by its user; is any user's; is closed after each
 * request. */
enum swarm_keep { SWARM_KEEP, SWARM_KEEP_SHARED, SWARM_KEEP_NONE };

struct swarm_texts {
	const char *const *items;
	size_t n;
};

struct swarm_options {
	int n_users;
	struct swarm_texts headers;	/* "Name: value", of every request */
	const char *user_agent;
	const char *ca_file;	/* NULL: the system's */
	const char *cert_file, *key_file;	/* PEM; NULL: none */
	bool is_insecure;	/* take any certificate */
	bool is_session_new;	/* never resume a TLS session */
	enum swarm_http http;
	enum swarm_keep keep;
	bool is_compressed;	/* ask for it */
	const char *proxy;	/* URL; "": none; NULL: the environment's */
	const char *unix_socket;	/* path, instead of TCP; NULL: none */
	const char *source;	/* address or interface; NULL: any */
	struct swarm_texts connect_to;	/* HOST:PORT:HOST:PORT, as curl's */
	struct swarm_texts resolve;	/* HOST:PORT:ADDRESS, as curl's */
	int64_t dns_ttl_ns;	/* of a looked-up name; < 0: for good */
	size_t keep_body;	/* bytes of a body that a reply holds */
	int64_t max_body;	/* longer bodies fail; 0: no limit */
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
	struct swarm_texts headers;	/* instead of those of the options
					   that have the same name */
	unsigned leave_out;	/* SWARM_NO_*, of all headers */
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
	const char *ip;		/* of the server; NULL if not connected */
	struct span body;	/* as far as it was kept; p NULL: not */
	int64_t body_bytes;	/* all of it, as it came */
	int64_t time_ns;	/* Unix time of the end of the body */
	int64_t ns[TIMINGS];	/* of a failure: as far as it came */
	struct user *from;	/* the swarm's own */
};

/* Bytes that a user's requests have moved so far: of the sockets, with
 * headers and, of TLS, handshakes and records. */
struct swarm_bytes {
	int64_t sent, received;
};

typedef void swarm_done(void *ctx, const struct swarm_reply *reply);

/* Options are borrowed as long as the swarm lives. NULL: why (no memory, no
 * file for epoll, options that curl cannot do). The caller frees the swarm;
 * requests under way end then without a reply. The first swarm must be made
 * while no other thread runs one. */
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

/* The value of a response's header; false: it has none of that name. */
bool swarm_header(const struct swarm_reply *reply, const char *name,
    struct span *value);

/* Append all of them, "Name: value", each with a newline. */
void swarm_headers(const struct swarm_reply *reply, struct buf *out);

/* Wait up to wait_ns (0 or less: not at all) for something to do, and do it;
 * replies are handed to done from in here. 0: also after a signal or
 * swarm_wake, which end the wait. -1: epoll failed, why says how; the swarm
 * can only be freed. */
int swarm_wait(struct swarm *s, int64_t wait_ns, struct why *why);

/* End the wait of the thread that waits, or its next. From any thread. */
void swarm_wake(struct swarm *s);

#endif
