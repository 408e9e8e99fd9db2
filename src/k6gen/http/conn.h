/* SPDX-License-Identifier: MIT */
/*
 * conn: a TCP connection that a user keeps. It moves bytes and knows nothing
 * of what they say.
 */
#ifndef K6PIPE_K6GEN_HTTP_CONN_H
#define K6PIPE_K6GEN_HTTP_CONN_H

#include <netinet/in.h>
#include <sys/uio.h>

#include "k6gen/http/engine.h"
#include "k6gen/http/names.h"

/* A zeroed struct is closed. */
struct conn {
	struct user *user;
	int fd;			/* 0: none */
	bool is_connected;
	bool is_closing;	/* by the server: not to be used again */
	const struct host *host;
	int address;		/* of the host, being tried or connected to */
	char authority[AUTHORITY];
	char ip[INET6_ADDRSTRLEN];	/* once it is connected */
	int64_t used_ns;	/* last */
};

/* Begin to connect a closed one to the first address of the host that can be
 * tried, from c->address on; events of it are e's, with c as of. False: there
 * is none, errno is the user's os_error. */
bool conn_dial(struct conn *c, struct engine *e);

/* An event came while it was not connected: it is now; or the next address is
 * tried; or (false) there is none. */
bool conn_finish_dial(struct conn *c, struct engine *e);

void conn_close(struct conn *c);

/* Take the descriptor of an open one, which is then the caller's. */
int conn_release_fd(struct conn *c);

/* Send some of the parts, or receive up to n bytes; counted, with the time.
 * Returns how many, 0 of conn_receive being the end; CONN_LATER: an event
 * will tell; CONN_FAILED: the user's os_error says why. */
enum { CONN_LATER = -1, CONN_FAILED = -2 };
ssize_t conn_send(struct conn *c, struct iovec *parts, size_t n_parts);
ssize_t conn_receive(struct conn *c, char *bytes, size_t n);

/* Bytes that a TCP socket has moved so far. False: it is none. */
bool conn_count_bytes(int fd, struct http_bytes *bytes);

#endif
