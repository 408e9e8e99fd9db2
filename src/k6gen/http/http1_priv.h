/* SPDX-License-Identifier: MIT */
/*
 * http1_priv: HTTP/1.1 in bytes: heads of requests, and answers. It knows no
 * connection.
 */
#ifndef K6PIPE_K6GEN_HTTP_HTTP1_PRIV_H
#define K6PIPE_K6GEN_HTTP_HTTP1_PRIV_H

#include "k6gen/http/engine.h"
#include "k6gen/http/header.h"

/* What the heads of all requests have. */
struct http1_heads {
	const struct http_options *options;
	struct buf lines[HEADER_SETS];
	bool has_host;		/* the options have the header */
};

struct http1_known;

/* An answer that is being read. A zeroed struct is none. */
struct http1_answer {
	struct user *user;	/* headers and body go there */
	struct http1_known *known;	/* borrowed; NULL: none */
	unsigned state;		/* enum http1_state */
	bool is_head;		/* to HEAD: no body follows */
	bool is_old;		/* HTTP/1.0 */
	bool is_coded, is_chunked;	/* Transfer-Encoding says so */
	bool has_close, has_keep;	/* Connection says so */
	bool has_cookies;	/* it sets some */
	bool is_complete;
	int status;
	int64_t length;		/* Content-Length; -1: none */
	int64_t left;		/* of the body, or of a chunk */
	int n_digits;		/* of a chunk's length */
	size_t head_bytes;
	struct buf line;	/* the part of a line that has come */
};

enum { HTTP1_HEADS = 8 };

/* The last heads that came whole, and what they say: a server mostly answers
 * with the same bytes again. A zeroed struct is empty. */
struct http1_known {
	struct http1_known_head {
		struct buf bytes;	/* up to the body */
		struct buf headers;	/* as a user has them */
		struct http1_answer answer;	/* as it was behind them */
	} heads[HTTP1_HEADS];
	size_t last;		/* the one that came last */
	size_t next;		/* the one that is replaced next */
};

void http1_init_heads(struct http1_heads *h, const struct http_options *o);
void http1_release_heads(struct http1_heads *h);

/* Whether these headers say how bytes are to be moved, which only libcurl
 * follows. */
bool http1_is_special(const struct http_texts *t);

/* A request, and what its head says besides. */
struct http1_request {
	const struct http_request *r;
	struct span host;	/* with a port that is not the scheme's */
	const char *path;
	struct span cookies;	/* may be empty */
};

/* Write its head. */
void http1_write_head(const struct http1_heads *h,
    const struct http1_request *q, struct buf *head);

/* Begin to read an answer for the user, again or for the first time, with the
 * known heads of others, or without; take n bytes of it (n 0: its end).
 * FAILURE_NONE: so far; is_complete tells if it is all. */
void http1_begin_answer(struct http1_answer *a, struct user *u,
    struct http1_known *known, bool is_head);
enum http_failure http1_take_bytes(struct http1_answer *a, const char *bytes,
    size_t n);

/* http1_known: the answer begins with these bytes. Take its head, if it is
 * known: returns how many bytes, 0: it is not. Remember it, which it has taken.
 */
size_t http1_recall(struct http1_answer *a, struct span bytes);
void http1_remember(const struct http1_answer *a, struct span head);
void http1_release_known(struct http1_known *k);

/* How many of the next bytes are of a body of which no more is kept, with one
 * behind the last, which there should not be: it is all the same what
 * http1_take_bytes reads there. */
size_t http1_unwanted(const struct http1_answer *a);

void http1_release_answer(struct http1_answer *a);

/* Whether the connection may serve another request. */
bool http1_keeps_connection(const struct http1_answer *a);

/* Set status and proto of a complete answer. */
void http1_fill_reply(const struct http1_answer *a, struct http_reply *r);

#endif
