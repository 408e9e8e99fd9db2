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
#include "k6gen/http/http2.h"
#include "k6gen/http/pool.h"
#include "k6gen/http/share.h"

/* A request that is under way. */
struct exchange {
	struct conn *conn;	/* NULL: its host is looked up, or it waits */
	struct route *route;	/* of shared connections; NULL: the user's */
	bool is_in_line;	/* for one that is being made there */
	bool is_reused;		/* the connection was there before */
	bool is_repeated;	/* it is the second try */
	bool has_tls;
	const struct http_request *request;	/* the user's */
	struct buf url;		/* split into the next two, and at path_at */
	size_t path_at;
	const char *path;	/* in the request's URL */
	char authority[AUTHORITY];
	struct buf head;	/* of the request; HTTP/1.1 */
	bool is_head_kept;	/* it is that of another request to this URL,
				   without headers or cookies of its own */
	unsigned head_leave_out;	/* what that went without */
	size_t head_body;	/* how long its body was; SIZE_MAX: none */
	struct buf cookies;
	size_t sent;		/* of head and body */
	struct http1_answer answer;
	struct http2_stream stream;
	int64_t deadline_ns;	/* monotonic */
	int64_t connect_ns;	/* when connecting began; 0: it did not */
};

/* What this engine has of a user. */
struct direct_user {
	struct pool pool;
	struct exchange *exchange;	/* owned; NULL until it is needed */
	enum http_failure early_failure;	/* while it began */
	bool is_ending;		/* so it is told of at the next tick */
	bool is_waiting;	/* in the line for a handshake of TLS */
};

struct direct {
	struct engine engine;
	bool can_any;		/* the options ask for nothing else */
	struct http1_heads heads;
	struct http1_known known;
	struct names names;
	struct tls_context *tls;	/* NULL until it is needed */
	struct share share;
	struct direct_user *users;
	int64_t sweep_ns;	/* the earliest deadline, or before it */
	int *ended;		/* users whose request ended while it began */
	int n_ended;
	int *waiting;		/* users in the line: the first one, and how
				   many, in a ring */
	int first_waiting, n_waiting;
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

/* See to an idle connection of HTTP/1.1 that has an event. False: it is to be
 * closed. */
bool exchange_drain(struct conn *c);

/* engine_direct: the user's request is over: it is made again if it may be,
 * else its reply is handed over. */
void direct_fail_request(struct user *u, enum http_failure failure);
void direct_end_request(struct user *u, enum http_failure failure);

/* Read what there is of its answer. False: it is over, or all was read. */
bool direct_receive(struct user *u);

/* Have a look at all requests at that time, or before. */
static inline void
direct_note_deadline(struct direct *d, int64_t ns)
{
	if (ns < d->sweep_ns)
		d->sweep_ns = ns;
}

/* The request failed, but its reply must not be handed over yet. */
void direct_end_later(struct user *u, enum http_failure failure);

/* connect: begin to make a connection for the user's request. */
enum http_failure connect_begin(struct user *u);

/* An event of one that is not ready. False: the request is over, or there is
 * nothing to read. */
bool connect_go_on(struct user *u, struct conn *c, int fd, uint32_t events);

/* Go on with those whose host has been looked up, and with handshakes. */
void connect_due(struct direct *d);

/* multiplex: see to a connection of HTTP/2 that has events, or may have read
 * what came behind the handshake. */
void multiplex_event(struct conn *c, uint32_t events);
void multiplex_receive(struct conn *c);

/* Send what there is to be sent: 0, CONN_LATER or CONN_FAILED. A request is
 * in it that was ready at from_ns; 0: none. */
ssize_t multiplex_flush(struct conn *c, int64_t from_ns);

/* borrow: the connection for the user's request, which is set up: one that is
 * open, which may be shared; NULL: none. */
struct conn *borrow_open(struct user *u);

/* A closed one, to make it; NULL: another is being made, for which it waits. */
struct conn *borrow_closed(struct user *u);

/* What is made of it: HTTP/2, or not. */
void borrow_note_protocol(struct conn *c);

/* Close one on which no request is under way. */
void borrow_close(struct conn *c);

/* The request is over, or given up, with that failure: its connection is
 * closed, or kept. */
void borrow_give_back(struct user *u, enum http_failure failure);

#endif
