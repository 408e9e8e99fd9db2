/* SPDX-License-Identifier: MIT */
/*
 * share: the connections that the users of a thread share, by server. Those of
 * HTTP/1.1 are lent to one user at a time, those of HTTP/2 to several.
 */
#ifndef K6PIPE_K6GEN_HTTP_SHARE_H
#define K6PIPE_K6GEN_HTTP_SHARE_H

#include "base/map.h"
#include "k6gen/http/conn.h"

struct conns {
	struct conn **items;
	size_t n, cap;
};

/* A server. */
struct route {
	struct share *share;
	bool is_http1;		/* it speaks nothing else, as far as known */
	struct conn *making;	/* that others wait for, as it may become one
				   of HTTP/2; NULL: none */
	struct conns all;	/* owned */
	struct conns several;	/* of HTTP/2 */
	struct conns idle;	/* of HTTP/1.1; some were closed since */
	struct conns closed;
	size_t n_key;
	char key[];
};

/* A zeroed struct is empty. */
struct share {
	struct map routes;	/* owned */
	bool is_moving;		/* what was being made for others is made, or
				   given up: for the caller, who sets it back */
};

/* The route to the authority, with TLS or without; a new one is_http1 as
 * said. It lives until share_release. */
struct route *share_route(struct share *s, const char *authority,
    bool has_tls, bool is_http1);

/* An open connection that takes a request now; or NULL. A closed one to make
 * it with. Either is lent, until it is given back: open, it is for any user,
 * closed, to be made again. One of HTTP/2 is given back only closed. */
struct conn *share_take(struct route *r);
struct conn *share_place(struct route *r);
void share_give_back(struct conn *c);

/* Let one of HTTP/2 be for several users from now on. */
void share_offer(struct conn *c);

/* It is not being made for others any more, if it was. */
void share_end_making(struct conn *c);

void share_release(struct share *s);

#endif
