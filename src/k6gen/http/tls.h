/* SPDX-License-Identifier: MIT */
/*
 * tls: TLS on a connected socket that does not block, by libssl. It moves
 * bytes and knows nothing of what they say.
 */
#ifndef K6PIPE_K6GEN_HTTP_TLS_H
#define K6PIPE_K6GEN_HTTP_TLS_H

#include <sys/types.h>
#include <sys/uio.h>

#include "k6gen/http/arrival.h"
#include "k6gen/http/failure.h"

struct tls_context;
struct tls;
struct tls_session;

/* What all connections of a client share: authorities, a client's
 * certificate, versions. NULL: why. */
struct tls_context *tls_context_new(const struct http_options *o,
    struct why *why);
void tls_context_free(struct tls_context *c);	/* NULL is allowed */

/* Where it is noted what the socket moved, and when bytes arrived. */
struct tls_counts {
	struct http_bytes *const *bytes;	/* may come to be others */
	struct arrival *arrival;
};

/* Begin TLS on fd with the host of "host:port". The session of an earlier
 * connection to it is resumed, and *session replaced by newer ones, which the
 * caller frees by tls_session_free after the connection is freed. counts is
 * copied. */
struct tls *tls_new(struct tls_context *c, int fd, const char *authority,
    struct tls_session **session, const struct tls_counts *counts);

/* Say goodbye and free it; the socket stays the caller's. */
void tls_free(struct tls *t);		/* NULL is allowed */
void tls_session_free(struct tls_session *s);	/* NULL is allowed */

/* Go on with the handshake. 0: it is done; TLS_LATER: an event will tell;
 * TLS_FAILED: *failure, and *os_error if there is one, say why. */
enum { TLS_LATER = -1, TLS_FAILED = -2 };
int tls_shake_hands(struct tls *t, enum http_failure *failure,
    int *os_error);

/* What is wrong with a certificate, by an X509_V_ERR number. */
enum http_failure tls_verify_failure(long result);

/* As send and recv; TLS_LATER and TLS_FAILED, with an errno or 0 in
 * *os_error. Until tls_send has taken bytes, the next call must begin with the
 * same ones. */
ssize_t tls_send(struct tls *t, const struct iovec *parts, size_t n_parts,
    int *os_error);
ssize_t tls_receive(struct tls *t, char *bytes, size_t n, int *os_error);

/* Whether there may be more to receive, of which the socket will not tell. */
bool tls_has_more(const struct tls *t);

/* Whether bytes that were received wait for tls_receive. */
bool tls_is_waiting(struct tls *t);

/* As k6 writes it, "tls1.3", for good; whether HTTP/2 was agreed on. */
const char *tls_version(const struct tls *t);
bool tls_has_http2(const struct tls *t);

#endif
