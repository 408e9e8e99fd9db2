/* SPDX-License-Identifier: MIT */
/*
 * swarm_priv: what the parts of swarm share. Nobody else includes it.
 *
 * Two engines make requests. Plain HTTP/1.1 over TCP, what most load is, is
 * swarm_plain's: a connection is one descriptor, a request two system calls.
 * All else (TLS, HTTP/2, proxies, cookies ...) is libcurl's: swarm_curl and
 * swarm_setup.
 */
#ifndef K6PIPE_K6GEN_HTTP_SWARM_PRIV_H
#define K6PIPE_K6GEN_HTTP_SWARM_PRIV_H

#include <curl/curl.h>
#include <http_parser.h>
#include <netinet/in.h>

#include "base/buf.h"
#include "base/map.h"
#include "k6gen/http/swarm.h"

enum {
	HEADER_SETS = 4,	/* one for each value of leave_out */
	DIAL_MS = 30000,	/* k6's limit for making a connection */
	ORIGINS = 4,		/* connections that a user keeps */
	ADDRESSES = 4,		/* of a host that are tried */
	AUTHORITY = 256,	/* bytes of a longest host:port */
};

struct address {
	struct sockaddr_storage sa;
	socklen_t n;
};

/* A host's addresses. */
struct host {
	char *name;		/* owned; "host:port" */
	struct address addresses[ADDRESSES];	/* IPv4 first */
	int n;			/* 0: none were found */
	bool is_known;		/* else it is being looked up */
	int64_t until_ns;	/* then it is looked up anew; 0: never */
};

/* A connection of swarm_plain. */
struct conn {
	int fd;			/* -1: none */
	bool is_connected;
	bool is_closing;	/* by the server: not to be used again */
	const struct host *host;
	int address;		/* of the host, being tried or connected to */
	char authority[AUTHORITY];
	char ip[INET6_ADDRSTRLEN];	/* once it is connected */
	int64_t used_ns;	/* last */
};

/* A request of swarm_plain that is under way. */
struct exchange {
	struct conn *conn;	/* NULL: its host is looked up */
	bool is_reused;		/* the connection was there before */
	const char *path;	/* in the request's URL */
	char authority[AUTHORITY];
	struct buf head;	/* of the request */
	struct span body;
	size_t sent;		/* of both */
	http_parser parser;
	struct buf fields;	/* of the answer, "Name: value\n" */
	bool is_in_value;	/* of the last field */
	struct buf location;	/* the answer's, with its NUL */
	bool is_head, is_complete;
	CURLcode failure;	/* that a callback found */
	int64_t deadline_ns;	/* monotonic */
	int64_t connect_ns;	/* when connecting began */
};

struct user {
	struct swarm *swarm;
	CURL *easy;
	CURLSH *connections;	/* a connection pool of its own */
	bool is_busy;
	bool is_plain;		/* the request is swarm_plain's */
	bool is_curled;		/* curl made one for it before */
	bool has_cookies;	/* all requests are curl's from now on */
	struct conn *given;	/* curl may have it for its request; or NULL */
	bool was_given;		/* and took it */
	bool is_tls;
	bool is_h2c;		/* the last answer was HTTP/2 without TLS */
	bool may_repeat;	/* if a kept connection proves dead */
	int os_error;		/* why there was no socket */
	/* Monotonic times; 0: it did not come to this. */
	int64_t start_ns, ready_ns, sent_ns, first_ns;
	int64_t timeout_ns;
	struct swarm_bytes bytes;
	struct curl_slist *headers;	/* of its request alone; or NULL */
	struct buf body;	/* as far as it is kept */
	int64_t body_bytes;
	struct conn conns[ORIGINS];
	struct exchange *exchange;	/* owned; NULL until it is needed */
	CURLcode ended;		/* with this, to be told by swarm_wait */
	char ip[64];
	char tls_version[16];
	char error[CURL_ERROR_SIZE];
	char explained[128];	/* backs a reply's error */
};

/* What epoll knows about a descriptor. */
struct watch {
	uint32_t events;	/* registered; 0: not registered */
	bool is_wanted;		/* by curl */
	bool is_ours;		/* opened and closed by our callbacks */
	bool is_given;		/* it was swarm_plain's, and is connected */
	struct user *user;	/* of ours: who opened it */
	struct swarm_bytes bytes;	/* told of so far */
	struct conn *conn;	/* swarm_plain's, with user */
};

struct swarm {
	const struct swarm_options *options;
	CURLM *multi;
	CURLSH *shared;		/* connections, if all users share them */
	int epoll_fd;
	int wake_fd;		/* bell */
	bool is_coarse;		/* the kernel waits in milliseconds only */
	int error;		/* errno of epoll_ctl */
	int64_t timer_ns;	/* when curl wants to be called; -1: never */
	struct user *users;
	int n_users;
	struct watch *watches;	/* by descriptor */
	size_t n_watches;
	struct curl_slist *headers[HEADER_SETS];
	struct curl_slist *connect_to, *resolve;
	swarm_done *done;
	void *ctx;
	/* swarm_plain: */
	bool can_plain;		/* the options ask for nothing else */
	struct buf heads[HEADER_SETS];	/* lines that each request has */
	bool has_host[HEADER_SETS];	/* of the options */
	int64_t sweep_ns;	/* the earliest deadline, or before it */
	int *ended;		/* users whose request ended while it began */
	int n_ended;
	struct map hosts;
	struct lookup *lookups;	/* under way */
};

struct watch *swarm_watch(struct swarm *s, int fd);

/* swarm_curl: the multi handle; what a user's handle calls; something that
 * happened to a descriptor, or the timer; one that epoll need not watch; the
 * bytes that a connection has moved so far. */
int swarm_curl_init(struct swarm *s, struct why *why);
void swarm_curl_watch(struct user *u);
void swarm_curl_act(struct swarm *s, curl_socket_t fd, int what);
void swarm_curl_unregister(struct swarm *s, int fd);
bool swarm_curl_bytes(int fd, struct swarm_bytes *bytes);

/* swarm_setup: lists for curl, the options' headers and a request's own, a
 * user's handle (-1: no memory, or curl cannot do what is asked), a request
 * of it; and whether a request has a body, if an empty one. */
int swarm_setup_list(struct curl_slist **list, const struct swarm_texts *t);
int swarm_setup_headers(struct curl_slist **list,
    const struct swarm_options *o, const struct swarm_texts *own,
    unsigned leave_out);
int swarm_setup_user(struct user *u, const struct swarm_options *o);
void swarm_setup_request(struct user *u, const struct swarm_request *r);
bool swarm_wants_body(const struct swarm_request *r);

/* Whether a header is left out of what the flags say. */
bool swarm_leaves_out(const char *line, unsigned leave_out);
bool swarm_has_header(const struct swarm_texts *t, const char *line);

/* A number that curl has of the user's request. */
int64_t swarm_info(const struct user *u, CURLINFO which);

/* Fill in what came of a request that is over: all but user. Of curl's it
 * must be called before the request is taken off the multi handle. */
void swarm_read_reply(struct user *u, CURLcode code, struct swarm_reply *r);

/* swarm_plain: what the options allow; may be called once. */
void plain_init(struct swarm *s);
void plain_release(struct swarm *s);
void plain_release_user(struct user *u);

/* Begin a request; false: it is one for curl, which may have the connection
 * that the user has. */
bool plain_send(struct user *u, const struct swarm_request *r);
void plain_cancel(struct user *u);

/* The descriptor of the connection that curl may have, if it is alive and goes
 * to this address; it is curl's from then on. -1: none. */
int plain_give(struct user *u, const struct sockaddr *to);

/* Something happened to a connection. */
void plain_event(struct user *u, struct conn *c, uint32_t events);

/* End what is past its deadline, and what ended while it began. */
void plain_tick(struct swarm *s, int64_t now_ns);

/* When plain_tick has something to do; INT64_MAX: never. */
int64_t plain_due_ns(const struct swarm *s);

/* A looked-up host's requests may go on. */
void plain_go_on(struct swarm *s);

/* swarm_http: lines that each request has, for a value of leave_out. own: the
 * request's, instead of the options' of the same name. */
void http_lines(const struct swarm_options *o, const struct swarm_texts *own,
    unsigned leave_out, struct buf *out);

/* Whether curl is to make a request with these headers. */
bool http_is_special(const struct swarm_texts *t);

/* Write the head of r into u's exchange. */
void http_head(struct user *u, const struct swarm_request *r);

/* Begin to read an answer; take n bytes of it (n 0: its end). CURLE_OK: so
 * far; exchange.is_complete tells if it is all. */
void http_begin(struct user *u);
CURLcode http_take(struct user *u, const char *bytes, size_t n);

/* swarm_names: the addresses of host:port. is_known false: not yet; wake_fd
 * wakes the swarm when they are. */
struct host *names_find(struct swarm *s, const char *authority);
void names_take(struct swarm *s);	/* those that are found by now */
void names_release(struct swarm *s);	/* waits for lookups under way */

#endif
