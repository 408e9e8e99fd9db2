/* SPDX-License-Identifier: MIT */
/* What libcurl calls for a user's request: its sockets, its answer's lines and
 * bytes, and when they come. */
#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "k6gen/http/conn.h"
#include "k6gen/http/engine_curl_priv.h"

static curl_socket_t
open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct libcurl_user *u = ctx;
	int fd;

	(void)purpose;
	fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
	if (fd < 0) {
		u->user->os_error = errno;
		return CURL_SOCKET_BAD;
	}
	*libcurl_socket_of(u->engine, fd) = (struct libcurl_socket){
		.is_ours = true, .user = u };
	return fd;
}

/* curl's own counts lack the seals of TLS records and the frames of HTTP/2; the
 * kernel's have all. */
void
libcurl_count_bytes(struct libcurl_user *u, int fd)
{
	struct libcurl_socket *s = libcurl_socket_of(u->engine, fd);
	struct http_bytes *sum = &u->user->bytes, now;

	if (!s->is_ours || !conn_count_bytes(fd, &now))
		return;
	sum->sent += now.sent - s->bytes.sent;
	if (now.received > s->bytes.received)
		sum->received += now.received - s->bytes.received;
	s->bytes = now;
}

static int
close_socket(void *ctx, curl_socket_t fd)
{
	struct libcurl_engine *e = ctx;
	struct libcurl_socket *s = libcurl_socket_of(e, fd);

	if (s->user != NULL)
		libcurl_count_bytes(s->user, fd);
	*s = (struct libcurl_socket){ .events = 0 };
	client_close(e->engine.client, fd);
	return 0;
}

/* The protocol version of the connection, as k6 writes it: tls1.3. It can be
 * asked for only while the request is under way. */
static void
note_tls_version(struct libcurl_user *u)
{
	struct curl_tlssessioninfo *info = NULL;
	const char *name;

	u->tls_version[0] = '\0';
	if (curl_easy_getinfo(u->easy, CURLINFO_TLS_SSL_PTR, &info) !=
	    CURLE_OK || info == NULL || info->internals == NULL ||
	    info->backend != CURLSSLBACKEND_OPENSSL)
		return;
	name = SSL_get_version(info->internals);
	(void)snprintf(u->tls_version, sizeof(u->tls_version), "tls%s",
	    strcmp(name, "TLSv1") == 0 ? "1.0" :
	    strncmp(name, "TLSv", 4) == 0 ? name + 4 : name);
}

/* The connection is there, the request is about to be written. Comes again if
 * curl finds a kept connection dead and starts over. */
static int
on_ready(void *ctx, char *a, char *b, int c, int d)
{
	struct libcurl_user *u = ctx;

	(void)a, (void)b, (void)c, (void)d;
	if (u->is_tls)
		note_tls_version(u);
	u->user->ready_ns = now_monotonic_ns();
	u->user->sent_ns = u->user->first_ns = 0;
	return CURL_PREREQFUNC_OK;
}

/* Only of what is not TCP are bytes counted as curl tells of them: without the
 * records of TLS and the frames of HTTP/2. */
static bool
counts_as_told(const struct libcurl_user *u)
{
	return u->engine->engine.options->unix_socket != NULL;
}

/* curl calls this just behind each send() and recv(). Heads of answers are
 * counted by on_header: here the blank line behind a 1xx is missing. */
static int
on_traffic(CURL *easy, curl_infotype type, char *data, size_t n, void *ctx)
{
	struct libcurl_user *u = ctx;
	struct user *to = u->user;
	bool counts = counts_as_told(u);

	(void)easy;
	(void)data;
	switch (type) {
	case CURLINFO_HEADER_OUT:
	case CURLINFO_DATA_OUT:
		to->sent_ns = now_monotonic_ns();
		to->bytes.sent += counts ? (int64_t)n : 0;
		break;
	case CURLINFO_SSL_DATA_OUT:
		if (u->shaking_ns == 0)
			u->shaking_ns = now_monotonic_ns();
		to->bytes.sent += counts ? (int64_t)n : 0;
		break;
	case CURLINFO_DATA_IN:
	case CURLINFO_SSL_DATA_IN:
		to->bytes.received += counts ? (int64_t)n : 0;
		break;
	default:
		break;
	}
	return 0;
}

/* Keep a header line as "Name: value\n". A status line begins an answer: the
 * one before was a proxy's, or 100 Continue. A line that begins with a blank
 * goes on with the value of the last. */
static void
keep_header(struct libcurl_user *u, struct span line)
{
	struct buf *headers = &u->user->headers;
	const char *colon = memchr(line.p, ':', line.n);
	bool is_fold = line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t');
	struct span text = span_trim(line, " \t\r\n");

	if (text.n > 5 && memcmp(text.p, "HTTP/", 5) == 0) {
		u->is_head_over = false;
		buf_reset(headers);
	} else if (text.n == 0) {
		u->is_head_over = true;
	} else if (is_fold && !u->is_head_over && headers->n > 0) {
		headers->p[headers->n - 1] = ' ';
		buf_span(headers, text);
		buf_char(headers, '\n');
	} else if (colon != NULL && !u->is_head_over) {
		buf_add(headers, line.p, (size_t)(colon - line.p));
		buf_add(headers, ": ", 2);
		buf_span(headers, span_trim((struct span){ colon + 1,
		    (size_t)(line.p + line.n - colon - 1) }, " \t\r\n"));
		buf_char(headers, '\n');
	}
}

/* A line behind a head that is over, which begins no other. */
static bool
is_trailer(const struct libcurl_user *u, const char *line, size_t n)
{
	return u->is_head_over && (n < 5 || memcmp(line, "HTTP/", 5) != 0);
}

static size_t
on_header(char *data, size_t size, size_t n, void *ctx)
{
	struct libcurl_user *u = ctx;

	if (u->user->first_ns == 0)
		u->user->first_ns = now_monotonic_ns();
	/* Trailers came as data. */
	if (counts_as_told(u) && !is_trailer(u, data, size * n))
		u->user->bytes.received += (int64_t)(size * n);
	u->head_bytes += size * n;
	if (u->head_bytes > HEAD_MAX)
		return 0;
	keep_header(u, (struct span){ data, size * n });
	return size * n;
}

/* A body that is longer than allowed fails by the wrong return value. */
static size_t
on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct libcurl_user *u = ctx;

	return user_add_body(u->user, data, size * n) ? size * n : 0;
}

void
libcurl_set_callbacks(struct libcurl_user *u)
{
	CURL *e = u->easy;

	(void)curl_easy_setopt(e, CURLOPT_PRIVATE, u);
	(void)curl_easy_setopt(e, CURLOPT_ERRORBUFFER, u->error);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, u);
	(void)curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	(void)curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, u->engine);
	(void)curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_ready);
	(void)curl_easy_setopt(e, CURLOPT_PREREQDATA, u);
	(void)curl_easy_setopt(e, CURLOPT_VERBOSE, 1L);
	(void)curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, on_traffic);
	(void)curl_easy_setopt(e, CURLOPT_DEBUGDATA, u);
	(void)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(e, CURLOPT_HEADERDATA, u);
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(e, CURLOPT_WRITEDATA, u);
}
