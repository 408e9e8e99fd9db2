/* SPDX-License-Identifier: MIT */
/*
 * direct_priv: what the parts of the direct engine share: requests under way,
 * and what is kept of users. Nobody else includes it.
 */
#ifndef K6PIPE_K6GEN_HTTP_DIRECT_PRIV_H
#define K6PIPE_K6GEN_HTTP_DIRECT_PRIV_H

#include "k6gen/http/conn.h"
#include "k6gen/http/engine.h"
#include "k6gen/http/http1_priv.h"
#include "k6gen/http/pool.h"

/* A request that is under way. */
struct exchange {
	struct conn *conn;	/* NULL: its host is looked up */
	bool is_reused;		/* the connection was there before */
	bool is_repeated;	/* it is the second try */
	bool has_tls;
	const struct http_request *request;	/* the user's */
	const char *path;	/* in its URL */
	char authority[AUTHORITY];
	struct buf head;	/* of the request; HTTP/1.1 */
	struct buf cookies;
	size_t sent;		/* of head and body */
	bool is_sent;		/* all of it; HTTP/2 */
	struct http1_answer answer;
	int64_t deadline_ns;	/* monotonic */
	int64_t connect_ns;	/* when connecting began; 0: it did not */
};

/* What this engine has of a user. */
struct direct_user {
	struct pool pool;
	struct exchange *exchange;	/* owned; NULL until it is needed */
	enum http_failure early_failure;	/* while it began */
};

struct direct {
	struct engine engine;
	bool can_any;		/* the options ask for nothing else */
	struct http1_heads heads;
	struct names names;
	struct tls_context *tls;	/* NULL until it is needed */
	struct direct_user *users;
	int64_t sweep_ns;	/* the earliest deadline, or before it */
	int *ended;		/* users whose request ended while it began */
	int n_ended;
};

static inline struct direct *
direct_of(const struct user *u)
{
	return (struct direct *)u->engine;
}

static inline struct direct_user *
direct_state_of(const struct user *u)
{
	return &direct_of(u)->users[u->number];
}

/* direct_scope: do the options leave this engine anything to do? */
bool direct_takes_options(const struct http_options *o);

/* Take http://host[:port] or https:// apart if it is of the simple kind; curl
 * knows how to treat the others. Returns the path in the URL, or NULL. */
const char *direct_split_url(const char *url, char authority[AUTHORITY],
    bool *has_tls);

/* exchange: begin the request on its connection, which is ready. FAILURE_READ
 * of an HTTP/2 connection that takes no more: it is as one that was closed. */
enum http_failure exchange_begin(struct user *u);

/* Send what is left of it, as far as there is room. */
enum http_failure exchange_send(struct user *u);

/* Read what there is. EXCHANGE_MORE: the answer is not all there; else it is,
 * or *failure tells why not. */
enum exchange_result { EXCHANGE_MORE, EXCHANGE_OVER };
enum exchange_result exchange_receive(struct user *u,
    enum http_failure *failure);

/* Whether the connection may serve another request, now that this one is over
 * with that failure. Fill in what the protocol knows of the reply. */
bool exchange_keeps_connection(struct user *u, enum http_failure failure);
void exchange_fill_reply(struct user *u, struct http_reply *r);

/* See to an idle connection that has an event. False: it is to be closed. */
bool exchange_drain(struct conn *c);

#endif
