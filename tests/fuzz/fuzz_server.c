/* SPDX-License-Identifier: MIT */
/* links: k6gen.a */
/* Any bytes from a server, over real sockets, to both engines, as answers of
 * HTTP/1.1 and HTTP/2, with TLS and without, on connections of a user's own or
 * shared: each request gets one reply, that fits together, and all memory comes
 * back. The first byte chooses, the second says how many bytes come at a time;
 * when there are no more, the server only closes. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "k6gen/http/client.h"

enum { USERS = 3, REQUESTS = 3, CONNECTIONS = 64 };

/* Bits of the first byte. */
enum { IS_HTTP2 = 1, IS_CURL = 2, IS_POST = 4, IS_HEAD = 8, IS_SHARED = 16,
	HAS_TLS = 32, HAS_BAD_TLS = 64, IS_GIVEN_UP = 128 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The server, of one thread with the client. */
static struct {
	int listener, fds[CONNECTIONS], n;
	SSL *tls[CONNECTIONS];	/* NULL: none */
	SSL_CTX *context;
	bool is_http2;
	int port;
	const uint8_t *bytes;
	size_t left, piece;
} server;

static struct {
	struct client *client;
	struct http_request request;
	int sent[USERS], replies[USERS], n_given_up;
} run;

static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *n_out,
    const unsigned char *in, unsigned n, void *ctx)
{
	static const unsigned char http1[] = "\x08http/1.1";
	static const unsigned char http2[] = "\x02h2";
	const unsigned char *own = server.is_http2 ? http2 : http1;

	(void)ssl, (void)ctx;
	return SSL_select_next_proto((unsigned char **)out, n_out, own,
	    own[0] + 1U, in, n) == OPENSSL_NPN_NEGOTIATED ?
	    SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static void
make_certificate(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);

	server.context = SSL_CTX_new(TLS_server_method());
	(void)X509_gmtime_adj(X509_getm_notBefore(x), 0);
	(void)X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	(void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"localhost", -1, -1, 0);
	(void)X509_set_issuer_name(x, name);
	(void)X509_set_pubkey(x, key);
	if (X509_sign(x, key, EVP_sha256()) == 0 ||
	    SSL_CTX_use_certificate(server.context, x) != 1 ||
	    SSL_CTX_use_PrivateKey(server.context, key) != 1)
		abort();
	SSL_CTX_set_alpn_select_cb(server.context, choose_protocol, NULL);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void
start_server(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof(a);

	(void)signal(SIGPIPE, SIG_IGN);
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	(void)inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
	server.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (bind(server.listener, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(server.listener, CONNECTIONS) != 0 ||
	    getsockname(server.listener, (struct sockaddr *)&a, &n) != 0)
		abort();
	server.port = ntohs(a.sin_port);
	make_certificate();
}

static void
accept_all(bool has_tls)
{
	int fd;

	while (server.n < CONNECTIONS && (fd = accept4(server.listener, NULL,
	    NULL, SOCK_NONBLOCK)) >= 0) {
		server.tls[server.n] = has_tls ? SSL_new(server.context) :
		    NULL;
		if (has_tls && SSL_set_fd(server.tls[server.n], fd) != 1)
			abort();
		server.fds[server.n++] = fd;
	}
}

static void
close_one(int i)
{
	SSL_free(server.tls[i]);
	(void)close(server.fds[i]);
	server.n--;
	server.fds[i] = server.fds[server.n];
	server.tls[i] = server.tls[server.n];
}

/* Read what there is. 0: the client has closed. */
static ssize_t
read_all(int i)
{
	char asked[4096];
	ssize_t got;

	do
		got = server.tls[i] == NULL ? read(server.fds[i], asked,
		    sizeof(asked)) : SSL_read(server.tls[i], asked,
		    sizeof(asked));
	while (got > 0);
	if (server.tls[i] != NULL && SSL_get_error(server.tls[i], (int)got) !=
	    SSL_ERROR_WANT_READ)
		return 0;
	return got;
}

/* Read what came, and send some bytes, or close. */
static void
serve_one(int i)
{
	size_t n = server.left < server.piece ? server.left : server.piece;
	ssize_t got, put = 0;

	if (server.tls[i] != NULL && !SSL_is_init_finished(server.tls[i])) {
		got = SSL_accept(server.tls[i]);
		if (got != 1 && SSL_get_error(server.tls[i], (int)got) !=
		    SSL_ERROR_WANT_READ)
			close_one(i);
		return;
	}
	got = read_all(i);
	if (n > 0 && got != 0)
		put = server.tls[i] == NULL ? send(server.fds[i],
		    server.bytes, n, MSG_NOSIGNAL) :
		    SSL_write(server.tls[i], server.bytes, (int)n);
	if (put != (ssize_t)n || n == 0) {
		close_one(i);
		return;
	}
	server.bytes += n;
	server.left -= n;
}

static void
on_reply(void *ctx, const struct http_reply *r)
{
	(void)ctx;
	run.replies[r->user]++;
	if (run.replies[r->user] != run.sent[r->user])
		abort();
	if (r->error != NULL ? r->status != 0 || r->error_code == 0 :
	    r->status < 100 || r->status > 999)
		abort();
	if (r->ns[TIMING_DURATION] != r->ns[TIMING_SENDING] +
	    r->ns[TIMING_WAITING] + r->ns[TIMING_RECEIVING])
		abort();
	if (run.sent[r->user]++ < REQUESTS)
		client_send(run.client, r->user, &run.request);
}

static bool
is_over(void)
{
	int i;

	for (i = 0; i < USERS; i++)
		if (run.replies[i] < REQUESTS)
			return false;
	return true;
}

/* Between two events, in the middle of a request. */
static void
give_up(int user)
{
	struct http_reply r;

	if (run.replies[user] >= REQUESTS || run.n_given_up++ >= REQUESTS)
		return;
	if (!client_abandon(run.client, user, &r) || r.error == NULL)
		abort();
	client_send(run.client, user, &run.request);
}

static void
make_requests(unsigned choice)
{
	struct why why;
	int i;

	for (i = 0; i < USERS; i++) {
		run.sent[i] = 1;
		client_send(run.client, i, &run.request);
	}
	while (!is_over()) {
		accept_all(choice & HAS_TLS);
		for (i = server.n - 1; i >= 0; i--)
			serve_one(i);
		if (client_wait(run.client, NS_PER_MS, &why) < 0)
			abort();
		if (choice & IS_GIVEN_UP && server.left % 2 == 1)
			give_up((int)server.left % USERS);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const elsewhere[] = { "nobody.test:1:127.0.0.1" };
	struct http_options o = { .user_agent = "u", .max_body = 1 << 16,
		.keep_body = 100, .connect_ns = 60 * NS_PER_S,
		.is_insecure = true };
	char url[64];
	struct why why;

	if (n < 2)
		return 0;
	if (server.port == 0)
		start_server();
	server.is_http2 = data[0] & IS_HTTP2;
	o.version = server.is_http2 ? HTTP_2 : HTTP_1;
	o.keep = data[0] & IS_SHARED ? HTTP_KEEP_SHARED : HTTP_KEEP;
	/* What only libcurl knows. */
	if (data[0] & IS_CURL)
		o.resolve = (struct http_texts){ elsewhere, 1 };
	server.piece = (size_t)data[1] + 1;
	server.bytes = data + 2;
	server.left = n - 2;
	memset(&run, 0, sizeof(run));
	(void)snprintf(url, sizeof(url), "http%s://127.0.0.1:%d/",
	    data[0] & (HAS_TLS | HAS_BAD_TLS) ? "s" : "", server.port);
	run.request = (struct http_request){ .method = data[0] & IS_POST ?
		"POST" : data[0] & IS_HEAD ? "HEAD" : "GET", .url = url,
		.timeout_ns = 60 * NS_PER_S };
	run.client = client_new(&o, USERS, on_reply, NULL, &why);
	if (run.client == NULL)
		abort();
	make_requests(data[0]);
	client_free(run.client);
	while (server.n > 0)
		close_one(server.n - 1);
	return 0;
}
