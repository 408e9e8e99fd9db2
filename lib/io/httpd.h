/* SPDX-License-Identifier: MIT */
/*
 * httpd: an HTTP/1.1 server on one thread of its own. A request is handed
 * over whole, with its body; the reply is a body, or a stream of events that
 * goes on. libmicrohttpd stays in here.
 *
 * All callbacks run on the server's thread, one at a time; so what they share
 * needs no lock as long as only they touch it.
 */
#ifndef K6PIPE_IO_HTTPD_H
#define K6PIPE_IO_HTTPD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/why.h"

struct httpd;

struct httpd_request {
	const char *method;	/* GET for HEAD too */
	const char *path;	/* decoded; repeated slashes are one */
	struct span body;
	bool is_too_large;	/* the body passed body_max and was dropped */
	void *connection;	/* httpd's own */
};

/* Values of headers: NULL if absent. They live as long as the request. */
const char *httpd_header(const struct httpd_request *r, const char *name);
const char *httpd_query(const struct httpd_request *r, const char *name);

/* Append the password of "Authorization: Basic ..." to out, if there is. */
void httpd_password(const struct httpd_request *r, struct buf *out);

struct httpd_field {
	const char *name, *value;	/* static texts */
};

/* Append what is new to out; nothing new: nothing. -1: the stream is over. */
typedef int httpd_next(void *stream, struct buf *out);

struct httpd_reply {
	int status;
	const char *type;		/* media type, static text */
	struct buf body;		/* httpd frees it; or: */
	struct span fixed;		/* bytes that outlive the server; or: */
	httpd_next *next;		/* called at each tick */
	void *stream;			/* for next; freed by free() */
	struct httpd_field fields[4];	/* used up to the first NULL */
};

struct httpd_config {
	int fd;				/* listening, non-blocking; httpd's */
	size_t body_max;
	const struct httpd_field *fields;	/* of every reply; NULL ends */
	void *ctx;
	/* The head is in. -1: refused, reply is filled in; the body will be
	 * dropped. */
	int (*admit)(void *ctx, const struct httpd_request *r,
	    struct httpd_reply *reply);
	void (*answer)(void *ctx, const struct httpd_request *r,
	    struct httpd_reply *reply);
};

/* NULL: why. config is copied, what it points to is not. */
struct httpd *httpd_start(const struct httpd_config *config, struct why *why);

/* To be called about twice a second, from the thread that started it: lets
 * streams look for news and cuts off connections that take too long. */
void httpd_tick(struct httpd *h);

/* End the request in work, close all connections, free. */
void httpd_stop(struct httpd *h);

#endif
