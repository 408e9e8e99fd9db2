/* SPDX-License-Identifier: MIT */
/*
 * engine: what makes requests for a client's users. A client has several and
 * gives each request to the first that accepts it. An engine keeps its own
 * state of each user (connections, the exchange under way); what all engines
 * say of a request stands in struct user. Engines do not know each other:
 * what one wants of another goes through the client.
 */
#ifndef K6PIPE_K6GEN_HTTP_ENGINE_H
#define K6PIPE_K6GEN_HTTP_ENGINE_H

#include <sys/socket.h>

#include "base/buf.h"
#include "k6gen/http/client.h"
#include "k6gen/http/failure.h"
#include "k6gen/http/jar.h"

struct engine;

/* Bytes of the longest head of an answer that is taken, by all engines. */
enum { HEAD_MAX = 300 * 1024 };

/* A user, and its request: the last one, or the one under way. */
struct user {
	struct client *client;
	int number;
	struct engine *engine;	/* makes its request; NULL: none under way */
	bool may_repeat;	/* if a kept connection proves dead */
	struct http_request request;	/* that one */
	struct buf url;		/* backs its URL, if it was changed */
	struct jar jar;		/* its cookies */
	/* Monotonic times; 0: it did not come to this. */
	int64_t start_ns, ready_ns, sent_ns, first_ns;
	int64_t last_ns;	/* when the last byte of a whole answer arrived;
				   0: when it is told of */
	int64_t read_ns, offset_ns;	/* when that was read, and how far the
					   wall clock was ahead; 0: not known */
	int64_t connecting_ns, handshaking_ns;	/* durations; 0: a kept
						   connection */
	int64_t timeout_ns;
	int os_error;		/* errno of its failure; 0: not known */
	struct http_bytes bytes;
	struct buf headers;	/* of the answer, "Name: value\n" */
	struct buf location;	/* the answer's, with its NUL */
	struct buf body;	/* as far as it is kept */
	int64_t body_bytes;
	char explained[FAILURE_TEXT];	/* backs a reply's error */
};

struct engine_ops {
	/* Begin the user's request. False: it is none for this engine. */
	bool (*send)(struct engine *e, struct user *u,
	    const struct http_request *r);

	/* Set what is known of the connection so far, at that time, of the
	 * request that is under way: connecting_ns and handshaking_ns, and
	 * the reply's ip. */
	void (*fill)(struct engine *e, struct user *u, int64_t now_ns,
	    struct http_reply *r);

	/* Give up the request that is under way. */
	void (*cancel)(struct engine *e, struct user *u);

	/* Something happened to a descriptor; of is what the engine said of
	 * it to client_watch. events: EPOLL*. */
	void (*event)(struct engine *e, int fd, void *of, uint32_t events);

	/* When tick has something to do; INT64_MAX: never. */
	int64_t (*due_ns)(const struct engine *e);

	/* Called after each wait, unless nothing is ever due. */
	void (*tick)(struct engine *e, int64_t now_ns);

	/* No request is under way. */
	void (*free)(struct engine *e);
};

/* An engine's own struct begins with this. */
struct engine {
	const struct engine_ops *ops;
	struct client *client;
	const struct http_options *options;	/* borrowed */
	struct user *users;	/* the client's */
	int n_users;
};

/* The engines; what is to be made is set in base, but for ops. NULL: why. */
struct engine *engine_direct_new(const struct engine *base, struct why *why);
struct engine *engine_curl_new(const struct engine *base, struct why *why);

/* What a client does for its engines: */

/* Let epoll tell the engine of these events of the descriptor, and of no
 * others. False: errno says why not. */
bool client_watch(struct client *c, int fd, uint32_t events,
    struct engine *e, void *of);

/* Tell of it no more: it lives on; it is closed. */
void client_unwatch(struct client *c, int fd);
void client_close(struct client *c, int fd);

/* Let client_wait fail with an errno of epoll. */
void client_fail(struct client *c, int error);

/* Take the cookies of the answer's headers; append those of a request to a
 * text that may have some. */
void user_take_cookies(struct user *u, const char *authority,
    const char *path);
void user_write_cookies(const struct user *u, const char *authority,
    const char *path, bool has_tls, struct buf *out);

/* Take bytes of the answer's body. False: it is longer than allowed. */
bool user_add_body(struct user *u, const char *bytes, size_t n);

/* Fill in what a request that is over came to, but for what the engine alone
 * knows: of an answer status, proto and tls_version, which are set before;
 * and ip. A failure is explained. */
void user_fill_reply(struct user *u, enum http_failure failure,
    struct http_reply *reply);

/* The request is over: hand the reply over. May begin the next request. */
void user_end_request(struct user *u, const struct http_reply *reply);

#endif
