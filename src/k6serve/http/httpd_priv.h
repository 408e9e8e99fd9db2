/* SPDX-License-Identifier: MIT */
/* httpd_priv: what httpd's .c files share. */
#ifndef K6PIPE_K6SERVE_HTTP_HTTPD_PRIV_H
#define K6PIPE_K6SERVE_HTTP_HTTPD_PRIV_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdint.h>

#include "k6serve/http/httpd.h"

/* What a connection waits for. */
enum phase {
	PHASE_HEAD,	/* the head of its first request, or TLS */
	PHASE_BODY,	/* the rest of a body */
	PHASE_BUSY,	/* us */
	PHASE_REPLY,	/* its other side, to take the reply */
	PHASE_STREAM,	/* news for its stream */
	PHASE_IDLE,	/* another request, when it likes */
	PHASES
};

enum { HTTPD_IDLE_S = 30 };	/* silence between requests */

struct stream;

/* One connection, from accept to close; in httpd's list, newest first. */
struct peer {
	struct peer *previous, *next;
	int fd;
	enum phase phase;
	int64_t since_ns;	/* monotonic: begin of the phase */
	int64_t deadline_ns;	/* monotonic; 0: none */
	unsigned char address[16];	/* IPv6, or IPv4 mapped to it */
	struct stream *stream;	/* that goes out on it; NULL: none */
	bool is_cut;		/* shut down already */
	bool is_gone;		/* its other side left while we were busy */
};

struct httpd {
	struct httpd_config config;
	struct MHD_Daemon *daemon;
	unsigned connections_max;
	size_t held;			/* bytes of bodies; server's thread */
	unsigned n_streams;		/* that go out; server's thread */
	pthread_mutex_t lock;		/* of what follows */
	pthread_cond_t answered;	/* n_deferred or n_unsent fell to 0 */
	struct peer *peers;
	unsigned n_peers;
	size_t n_deferred;
	size_t n_unsent;		/* requests, those too, until their
					 * replies are sent or stream */
	struct stream *idle;		/* suspended streams */
	bool is_stopping;
};

/* One request, from its first line until its reply is sent. */
struct request {
	struct httpd_request public;
	struct httpd_reply reply;
	struct buf body;
	struct peer *peer;
	char *path, *host;	/* of a whole URL; NULL: it was none */
	int64_t start_ns;
	size_t dropped;
	size_t held;		/* its part of httpd's */
	bool is_begun;		/* its head is in */
	bool is_refused;
	bool is_deferred;	/* what the next line tells will come */
	bool is_answered;	/* reply is filled in */
	bool is_unsent;		/* httpd's n_unsent counts it */
};

/* For libmicrohttpd. The first line of a head is in; its path is not decoded
 * yet, so that a slash that was escaped is known: *context from now on. */
void *request_on_uri(void *ctx, const char *uri,
    struct MHD_Connection *connection);

/* For libmicrohttpd: the head is in, a piece of the body, all of it, or the
 * answer to a deferred request. */
enum MHD_Result request_go_on(void *ctx, struct MHD_Connection *connection,
    const char *url, const char *method, const char *version,
    const char *data, size_t *n, void **context);

/* For libmicrohttpd: the request is over, one way or another. */
void request_end(void *ctx, struct MHD_Connection *connection,
    void **context, enum MHD_RequestTerminationCode code);

/* Nobody needs to wait any longer until its reply is sent. */
void request_leave_unsent(struct httpd *h, struct request *r);

/* Queue r->reply, and take what it needs from there. */
enum MHD_Result reply_send(struct httpd *h, struct request *r);
void reply_free_texts(struct httpd_reply *reply);

/* The path of an URI, decoded, to be freed. Repeated slashes become one: k6
 * joins its host and "/v1" as texts. One with a NUL in it stays as it came,
 * since it would be taken for the text before the NUL. */
char *path_clean(const char *uri);

/* For libmicrohttpd: decode a query in place, and a path that nobody reads.
 * What has a NUL in it stays likewise. */
size_t query_unescape(void *ctx, struct MHD_Connection *connection,
    char *text);

/* The response that sends what reply->next tells, and takes reply->stream. */
struct MHD_Response *stream_start(struct httpd *h,
    struct MHD_Connection *connection, struct httpd_reply *reply);

/* The path, and the query behind it, of the target in a head's first line. It
 * may be a whole URL: then *host is its host and port, which the caller frees;
 * else NULL. */
const char *head_path(const char *target, char **host);

/* What makes a head ambiguous; NULL: nothing. version is that of the request,
 * as libmicrohttpd hands it over. */
const char *head_fault(struct MHD_Connection *connection,
    const char *version);

/* Let all streams look for news, or one, if it is suspended; h->lock is
 * held. */
void streams_wake(struct httpd *h);
void stream_wake(struct stream *s);

/* For libmicrohttpd: is another connection from there welcome? */
enum MHD_Result peers_welcome(void *ctx, const struct sockaddr *address,
    socklen_t n);

/* For libmicrohttpd: a connection begins or ends. */
void peers_notify(void *ctx, struct MHD_Connection *connection,
    void **context, enum MHD_ConnectionNotificationCode code);

/* The connection enters a phase, or goes on with it; it is cut off when that
 * takes longer than that many seconds (0: no limit). */
void peers_enter(struct httpd *h, struct MHD_Connection *connection,
    enum phase phase, int seconds);

/* A stream begins. Streams may take a quarter of all connections, and those of
 * one address half of that, as others may watch, too; the oldest makes room. */
struct peer *peers_enter_stream(struct httpd *h,
    struct MHD_Connection *connection, struct stream *stream);

/* Cut off those past their deadline, and some when the limit is near; find out
 * who went away. */
void peers_expire(struct httpd *h);

/* Make room: cut off the one that sends its body most slowly, if it had two
 * seconds for it. */
void peers_shed_body(struct httpd *h);

/* What is known of a connection; NULL: nothing. */
struct peer *peers_of(struct MHD_Connection *connection);

/* Write the address of a connection's other side. */
void peers_address(struct MHD_Connection *connection,
    unsigned char address[16]);

#endif
