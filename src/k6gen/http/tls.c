/* SPDX-License-Identifier: MIT */
/* TLS by libssl, over a BIO of our own that counts the socket's bytes. */
#include "k6gen/http/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/why.h"

enum { RECORD = 16384 };	/* bytes of a longest record */

struct tls_context {
	SSL_CTX *ssl;
	BIO_METHOD *method;
	bool keeps_sessions;
};

struct tls {
	SSL *ssl;
	int fd;
	struct tls_counts counts;
	struct tls_session **session;	/* the caller's place */
	bool is_dry;		/* take nothing from the socket */
	bool is_drained;	/* it had less than was asked for */
	int os_error;		/* of the socket; 0: none */
};

/* It is an SSL_SESSION. */
struct tls_session;

static int
write_socket(BIO *b, const char *bytes, int n)
{
	struct tls *t = BIO_get_data(b);
	ssize_t done;

	BIO_clear_retry_flags(b);
	do
		done = send(t->fd, bytes, (size_t)n, MSG_NOSIGNAL);
	while (done < 0 && errno == EINTR);
	if (done >= 0)
		(*t->counts.bytes)->sent += done;
	else if (errno == EAGAIN)
		BIO_set_retry_write(b);
	else
		t->os_error = errno;
	return (int)done;
}

static int
read_socket(BIO *b, char *bytes, int n)
{
	struct tls *t = BIO_get_data(b);
	ssize_t done = -1;

	BIO_clear_retry_flags(b);
	if (t->is_dry) {
		BIO_set_retry_read(b);
		return -1;
	}
	done = arrival_receive(t->fd, bytes, (size_t)n, 0,
	    t->counts.arrival);
	t->is_drained = done < n;
	if (done >= 0)
		(*t->counts.bytes)->received += done;
	else if (errno == EAGAIN)
		BIO_set_retry_read(b);
	else
		t->os_error = errno;
	return (int)done;
}

static long
control(BIO *b, int command, long number, void *p)
{
	(void)b, (void)number, (void)p;
	return command == BIO_CTRL_FLUSH;
}

/* The caller's place for sessions gets the newest. */
static int
on_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls *t = SSL_get_app_data(ssl);

	tls_session_free(*t->session);
	*t->session = (struct tls_session *)session;
	return 1;
}

void
tls_session_free(struct tls_session *s)
{
	SSL_SESSION_free((SSL_SESSION *)s);
}

static bool
set_protocols(SSL_CTX *c, const struct http_options *o)
{
	static const unsigned char both[] = "\x02h2\x08http/1.1";
	const unsigned char *list = o->version == HTTP_1 ? both + 3 : both;

	return SSL_CTX_set_alpn_protos(c, list, (unsigned)(sizeof(both) - 1 -
	    (size_t)(list - both))) == 0;
}

static bool
set_files(SSL_CTX *c, const struct http_options *o)
{
	const char *key = o->key_file != NULL ? o->key_file : o->cert_file;
	bool is_set = o->is_insecure ||
	    SSL_CTX_set_default_verify_paths(c) == 1;

	if (o->ca_file != NULL) {
		X509_STORE *only = X509_STORE_new();

		if (only == NULL)
			return false;
		SSL_CTX_set_cert_store(c, only);
		is_set = SSL_CTX_load_verify_file(c, o->ca_file) == 1;
	}
	return is_set && (o->cert_file == NULL ||
	    (SSL_CTX_use_certificate_chain_file(c, o->cert_file) == 1 &&
	    SSL_CTX_use_PrivateKey_file(c, key, SSL_FILETYPE_PEM) == 1));
}

static BIO_METHOD *
make_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() |
	    BIO_TYPE_SOURCE_SINK, "k6gen");

	if (m == NULL)
		return NULL;
	(void)BIO_meth_set_write(m, write_socket);
	(void)BIO_meth_set_read(m, read_socket);
	(void)BIO_meth_set_ctrl(m, control);
	return m;
}

static void
set_version(SSL_CTX *c, const struct http_options *o)
{
	static const int versions[] = { [TLS_1_2] = TLS1_2_VERSION,
		[TLS_1_3] = TLS1_3_VERSION };

	if (o->tls_version == TLS_ANY)
		return;
	(void)SSL_CTX_set_min_proto_version(c, versions[o->tls_version]);
	(void)SSL_CTX_set_max_proto_version(c, versions[o->tls_version]);
}

struct tls_context *
tls_context_new(const struct http_options *o, struct why *why)
{
	struct tls_context *c = xcalloc(1, sizeof(*c));

	c->ssl = SSL_CTX_new(TLS_client_method());
	c->method = make_method();
	c->keeps_sessions = !o->is_session_new;
	if (c->ssl == NULL || c->method == NULL || !set_files(c->ssl, o) ||
	    !set_protocols(c->ssl, o)) {
		(void)why_set(why, "libssl: %s",
		    ERR_reason_error_string(ERR_get_error()));
		tls_context_free(c);
		return NULL;
	}
	SSL_CTX_set_mode(c->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	set_version(c->ssl, o);
	/* In Go's order, and so k6's; the first one is also the cheapest. */
	(void)SSL_CTX_set_ciphersuites(c->ssl, "TLS_AES_128_GCM_SHA256:"
	    "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
	/* A record is one read of the socket and not two. */
	SSL_CTX_set_read_ahead(c->ssl, 1);
	SSL_CTX_set_verify(c->ssl, o->is_insecure ? SSL_VERIFY_NONE :
	    SSL_VERIFY_PEER, NULL);
	/* Renegotiation and the like are no business of a load generator. */
	SSL_CTX_set_options(c->ssl, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_CLIENT |
	    SSL_SESS_CACHE_NO_INTERNAL);
	if (c->keeps_sessions)
		SSL_CTX_sess_set_new_cb(c->ssl, on_session);
	return c;
}

void
tls_context_free(struct tls_context *c)
{
	if (c == NULL)
		return;
	SSL_CTX_free(c->ssl);
	BIO_meth_free(c->method);
	free(c);
}

/* Who is to prove who it is: a name, which SNI tells the server, or an
 * address. */
static void
set_host(SSL *ssl, const char *authority)
{
	size_t n = (size_t)(strrchr(authority, ':') - authority);
	char *host = xstrndup(authority, n);
	unsigned char address[16];

	if (host[0] == '[') {
		host[n - 1] = '\0';
		(void)X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl),
		    host + 1);
	} else if (inet_pton(AF_INET, host, address) == 1) {
		(void)X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl),
		    host);
	} else {
		/* A name may end with a dot; certificates have none. */
		if (n > 0 && host[n - 1] == '.')
			host[n - 1] = '\0';
		(void)SSL_set_tlsext_host_name(ssl, host);
		(void)SSL_set1_host(ssl, host);
	}
	free(host);
}

struct tls *
tls_new(struct tls_context *c, int fd, const char *authority,
    struct tls_session **session, const struct tls_counts *counts)
{
	struct tls *t = xcalloc(1, sizeof(*t));
	BIO *b = BIO_new(c->method);

	*t = (struct tls){ .ssl = SSL_new(c->ssl), .fd = fd,
		.counts = *counts, .session = session };
	if (t->ssl == NULL || b == NULL) {
		BIO_free(b);
		SSL_free(t->ssl);
		free(t);
		return NULL;
	}
	BIO_set_data(b, t);
	BIO_set_init(b, 1);
	SSL_set_bio(t->ssl, b, b);
	SSL_set_app_data(t->ssl, t);
	set_host(t->ssl, authority);
	if (c->keeps_sessions && *session != NULL)
		(void)SSL_set_session(t->ssl, (SSL_SESSION *)*session);
	SSL_set_connect_state(t->ssl);
	return t;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	if (SSL_is_init_finished(t->ssl) && t->os_error == 0)
		(void)SSL_shutdown(t->ssl);
	ERR_clear_error();
	SSL_free(t->ssl);
	free(t);
}

enum http_failure
tls_verify_failure(long result)
{
	switch (result) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return FAILURE_CERT_HOST;
	case X509_V_ERR_CERT_NOT_YET_VALID:
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return FAILURE_CERT_TIME;
	default:
		return FAILURE_CERT_ISSUER;
	}
}

/* Another library of this thread may have left errors; there are none nearly
 * always, and to look is cheaper than to clear. */
static void
forget_errors(void)
{
	if (ERR_peek_error() != 0)
		ERR_clear_error();
}

static enum http_failure
failure_of(const struct tls *t, unsigned long error)
{
	long result = SSL_get_verify_result(t->ssl);

	switch (ERR_GET_REASON(error)) {
	case SSL_R_CERTIFICATE_VERIFY_FAILED:
		return tls_verify_failure(result);
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_PACKET_LENGTH_TOO_LONG:
	case SSL_R_HTTP_REQUEST:
		return FAILURE_NO_TLS;
	default:
		return FAILURE_TLS;
	}
}

/* What a call that returned n wants: an event, or it failed. */
static bool
is_later(const struct tls *t, int n)
{
	int e = SSL_get_error(t->ssl, n);

	return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE;
}

int
tls_shake_hands(struct tls *t, enum http_failure *failure, int *os_error)
{
	int n;

	forget_errors();
	n = SSL_do_handshake(t->ssl);
	if (n == 1)
		return 0;
	if (is_later(t, n))
		return TLS_LATER;
	*failure = failure_of(t, ERR_peek_error());
	*os_error = t->os_error;
	forget_errors();
	return TLS_FAILED;
}

ssize_t
tls_send(struct tls *t, const struct iovec *parts, size_t n_parts,
    int *os_error)
{
	const struct iovec *first = &parts[0];
	char together[RECORD];
	const void *bytes = first->iov_base;
	size_t n = first->iov_len, more;
	int done;

	/* One record for a head and the first bytes of its body. */
	if (n_parts > 1 && n < sizeof(together)) {
		memcpy(together, first->iov_base, n);
		more = sizeof(together) - n < parts[1].iov_len ?
		    sizeof(together) - n : parts[1].iov_len;
		memcpy(together + n, parts[1].iov_base, more);
		bytes = together;
		n += more;
	}
	forget_errors();
	done = SSL_write(t->ssl, bytes, n < INT32_MAX ? (int)n : INT32_MAX);
	if (done > 0)
		return done;
	if (is_later(t, done))
		return TLS_LATER;
	*os_error = t->os_error;
	forget_errors();
	return TLS_FAILED;
}

ssize_t
tls_receive(struct tls *t, char *bytes, size_t n, int *os_error)
{
	int done;

	forget_errors();
	done = SSL_read(t->ssl, bytes, n < INT32_MAX ? (int)n : INT32_MAX);
	if (done > 0)
		return done;
	switch (SSL_get_error(t->ssl, done)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return TLS_LATER;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		break;
	}
	*os_error = t->os_error;
	forget_errors();
	return t->os_error == 0 ? 0 : TLS_FAILED;
}

bool
tls_has_more(const struct tls *t)
{
	return !t->is_drained || SSL_has_pending(t->ssl);
}

bool
tls_is_waiting(struct tls *t)
{
	char byte;
	int n;

	if (SSL_pending(t->ssl) > 0)
		return true;
	if (!SSL_has_pending(t->ssl))
		return false;
	/* Records that were not looked into: tickets, or an answer. */
	t->is_dry = true;
	n = SSL_peek(t->ssl, &byte, 1);
	t->is_dry = false;
	forget_errors();
	return n > 0;
}

const char *
tls_version(const struct tls *t)
{
	/* A reply may be read when the connection is freed. */
	switch (SSL_version(t->ssl)) {
	case TLS1_VERSION:
		return "tls1.0";
	case TLS1_1_VERSION:
		return "tls1.1";
	case TLS1_2_VERSION:
		return "tls1.2";
	default:
		return "tls1.3";
	}
}

bool
tls_has_http2(const struct tls *t)
{
	const unsigned char *name;
	unsigned n;

	SSL_get0_alpn_selected(t->ssl, &name, &n);
	return n == 2 && memcmp(name, "h2", 2) == 0;
}
