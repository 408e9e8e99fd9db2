/* SPDX-License-Identifier: MIT */
/*
 * conn: a connection that a user keeps: TCP, and TLS on it. It moves bytes and
 * knows nothing of what they say.
 */
#ifndef K6PIPE_K6GEN_HTTP_CONN_H
#define K6PIPE_K6GEN_HTTP_CONN_H

#include <netinet/in.h>
#include <sys/uio.h>

#include "k6gen/http/arrival.h"
#include "k6gen/http/engine.h"
#include "k6gen/http/names.h"
#include "k6gen/http/tls.h"

struct dial;
struct http2;
struct route;

/* A zeroed struct is closed. */
struct conn {
	struct user *user;	/* who uses it; of several, one of them */
	struct http_bytes *bytes;	/* where its bytes are counted */
	struct route *route;	/* to which it is shared; NULL: it is not */
	int fd;			/* 0: none */
	struct dial *dial;	/* while it is being connected; owned */
	bool is_ready;		/* requests can be sent */
	bool is_closing;	/* by the server: not to be used again */
	bool is_offered;	/* to several users, of HTTP/2 */
	bool has_tls;		/* it is to have */
	struct tls *tls;	/* owned; NULL: none, or none yet */
	struct tls_session *session;	/* to resume; owned */
	struct http2 *http2;	/* spoken on it; owned; NULL: HTTP/1.1 */
	char authority[AUTHORITY];
	char ip[INET6_ADDRSTRLEN];	/* once it is connected */
	int64_t used_ns;	/* last */
	int64_t connected_ns;	/* when TCP was there; 0: it is not yet */
	int64_t shaking_ns;	/* when the handshake of TLS began; 0: not */
	struct arrival arrival;	/* of the bytes read last */
	bool is_drained;	/* the socket had less than was asked for */
};

static inline bool
conn_is_open(const struct conn *c)
{
	return c->fd > 0 || c->dial != NULL;
}

/* The user uses it now, and pays for its bytes. */
static inline void
conn_set_user(struct conn *c, struct user *u)
{
	c->user = u;
	c->bytes = &u->bytes;
}

/* Begin to connect a closed one to the addresses, in their order: the next one
 * is tried when one fails, and beside it when it does not answer at once (RFC
 * 8305). Events of it are e's, with c as of. False: there is none, errno is
 * the user's os_error. */
bool conn_dial(struct conn *c, struct engine *e, const struct address *to,
    int n);

/* An event of fd came while it was being connected. CONN_LATER: so it still
 * is; CONN_FAILED: there is no address any more; else it is connected. */
int conn_finish_dial(struct conn *c, struct engine *e, int fd);

/* When the next address is to be tried beside the others; INT64_MAX: never;
 * try it. */
int64_t conn_dial_due_ns(const struct conn *c);
void conn_dial_more(struct conn *c, struct engine *e);

/* Go on with the handshake of TLS: 0, CONN_LATER, or CONN_FAILED, and why. */
int conn_shake_hands(struct conn *c, struct tls_context *context,
    enum http_failure *failure);

void conn_close(struct conn *c);

/* Close it and forget the session, too. */
void conn_forget(struct conn *c);

/* Send some of the parts, or receive up to n bytes; counted. Returns how many,
 * 0 of conn_receive being the end; CONN_LATER: an event will tell;
 * CONN_FAILED: the user's os_error says why. */
enum { CONN_LATER = -1, CONN_FAILED = -2 };
ssize_t conn_send(struct conn *c, struct iovec *parts, size_t n_parts);
ssize_t conn_receive(struct conn *c, char *bytes, size_t n);

/* The same of a connection without TLS, where nobody wants the bytes: they are
 * not copied. */
ssize_t conn_discard(struct conn *c, char *bytes, size_t n);

/* When what conn_send was given at from_ns was sent: now, or, if this process
 * was held up since, when the kernel sent data last. */
int64_t conn_sent_ns(const struct conn *c, int64_t from_ns);

/* Whether there may be more to receive, of which no event will tell. */
bool conn_has_more(const struct conn *c);

/* Whether bytes wait that nobody asked for. */
bool conn_is_waiting(struct conn *c);

/* Bytes that a TCP socket has moved so far. False: it is none. */
bool conn_count_bytes(int fd, struct http_bytes *bytes);

#endif
