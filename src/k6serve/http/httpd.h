/* SPDX-License-Identifier: MIT */
/*
 * httpd: an HTTP/1.1 server on one thread of its own. A request is handed
 * over whole, with its body; the reply is a body, or a stream of events that
 * goes on. libmicrohttpd stays in here.
 *
 * All callbacks run on the server's thread, one at a time; so what they share
 * needs no lock as long as only they touch it. A request whose answer takes
 * long is deferred, and answered from another thread.
 *
 * When connections run short, room is made for those who come to push: each
 * push is over in a moment, while heads, bodies and replies that take long,
 * idle connections and streams can wait or come again.
 */
#ifndef K6PIPE_K6SERVE_HTTP_HTTPD_H
#define K6PIPE_K6SERVE_HTTP_HTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/why.h"

struct httpd;

/* Stands in a path for a slash that was escaped, which separates nothing. */
#define HTTPD_SLASH '\x1e'

/* Borrowed, for the time of the callback. */
struct httpd_request {
	const char *method;	/* GET for HEAD too */
	const char *path;	/* decoded, HTTPD_SLASH for %2F; repeated
				   slashes are one; a path with %00 in it
				   stays as it came */
	const char *host;	/* host and port that are asked for: of the
				   first line, if that has a whole URL, or of
				   the field Host; NULL: of neither */
	struct span body;	/* as sent; empty while it is admitted */
	const char *fault;	/* why the head must be refused; NULL: not */
	bool is_too_large;	/* the body passed body_max and was dropped */
	unsigned char address[16];	/* of the other side: IPv6, or IPv4
					   mapped to it */
	void *note;		/* for admit to fill in; freed by free() */
	int class;		/* for admit to fill in: any number */
	void *connection;	/* httpd's own */
	struct httpd *server;	/* too */
};

/* The value of a header (its name in any case), or of a word of the query,
 * decoded; the first if there are several; NULL: absent. They live as long as
 * the request. */
const char *httpd_header(const struct httpd_request *r, const char *name);
const char *httpd_query(const struct httpd_request *r, const char *name);

/* All values of a word of the query, in their order, at most `most`; their
 * number, which may be larger. */
size_t httpd_query_all(const struct httpd_request *r, const char *name,
    const char **values, size_t most);

/* A parameter other than tag that comes more than once; NULL: none does. */
const char *httpd_query_twice(const struct httpd_request *r);

/* The first word of the query that is none of words, which are separated by
 * blanks; NULL: all are. It lives as long as the request. */
const char *httpd_query_other(const struct httpd_request *r,
    const char *words);

/* Append the password of "Authorization: Basic ..." to out. Nothing is added
 * when there is none. */
void httpd_password(const struct httpd_request *r, struct buf *out);

struct httpd_field {
	const char *name, *value;	/* static texts, or httpd_reply's */
};

/* Append what is new to out, which is empty; nothing new: nothing. 0, or -1:
 * the stream is over, behind what was appended. */
typedef int httpd_next(void *stream, struct buf *out);

/* Comes zeroed to the callbacks. */
struct httpd_reply {
	int status;			/* of HTTP; must be set */
	const char *type;		/* media type, static text */
	struct buf body;		/* httpd frees it; or: */
	struct span fixed;		/* bytes that outlive the server; or: */
	bool has_no_length;		/* a 304, of which nothing tells how
					   long a 200 would be; or: */
	httpd_next *next;		/* called at each tick */
	void *stream;			/* for next; freed by free() */
	struct httpd_field fields[6];	/* used up to the first NULL */
	char *texts[2];			/* of fields, if they are not static;
					   httpd frees them */
	char *cause;			/* of an error, for `replied` alone;
					   httpd frees it; NULL: none */
	/* Called with the two once the body was sent or dropped, on the
	 * server's thread; NULL: not. */
	void (*over)(void *ctx, size_t held);
	void *over_ctx;
	size_t held;
	const char *error;		/* what the body tells as an error, by
					   name; NULL: it is none */
};

struct httpd_config {
	int fd;				/* listening, non-blocking; httpd's */
	size_t body_max;		/* bytes, as sent */
	size_t bodies_max;		/* bytes of all bodies in memory; what
					   would pass it is answered 503 */
	unsigned address_max;		/* connections from one address, but
					   from this machine; 0: no maximum */
	const char *certificate, *key;	/* TLS: texts in PEM form; NULL: none */
	const struct httpd_field *fields;	/* of every reply that has no
					   such field itself; NULL ends */
	void *ctx;
	/* The head is in. 0: go on; -1: refused, reply is filled in; the body
	 * will be dropped. */
	int (*admit)(void *ctx, struct httpd_request *r,
	    struct httpd_reply *reply);
	/* All is in, or is_too_large: fill in reply. */
	void (*answer)(void *ctx, const struct httpd_request *r,
	    struct httpd_reply *reply);
	/* The reply is about to be sent; NULL: nobody wants to know. */
	void (*replied)(void *ctx, const struct httpd_request *r,
	    const struct httpd_reply *reply);
};

/* To be called from `answer`: the reply comes later. Request and reply, both
 * as they were handed to answer, stay where they are and may be used, reply
 * also filled in, by one other thread until it calls httpd_answered. */
void httpd_defer(const struct httpd_request *r);
void httpd_answered(const struct httpd_request *r);

/* Has the other side gone away, as far as the last tick saw? Of a deferred
 * request, from the thread that may use it. */
bool httpd_is_gone(const struct httpd_request *r);

/* The most connections at a time, those there are, and those of them that are
 * streams; on the server's thread. */
unsigned httpd_connections_max(const struct httpd *h);
unsigned httpd_connections(struct httpd *h);
unsigned httpd_streams(const struct httpd *h);

/* Make room: cut off the connection that has been taking its reply for
 * longest, if it had five seconds for it. */
void httpd_shed_reply(struct httpd *h);

/* Begin to answer. NULL: why. config is copied, what it points to must live
 * until httpd_stop; config->fd is not to be used any more. */
struct httpd *httpd_start(const struct httpd_config *config, struct why *why);

/* To be called about twice a second, from the thread that started it: lets
 * streams look for news and cuts off connections that take too long. */
void httpd_tick(struct httpd *h);

/* Wait until the deferred requests are answered and, for two seconds at most,
 * until all that have begun have their answers; end all streams, close all
 * connections and the listening socket, free. NULL is allowed. */
void httpd_stop(struct httpd *h);

#endif
