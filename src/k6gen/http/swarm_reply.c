/* SPDX-License-Identifier: MIT */
/* What a finished request came to: k6's timings, error codes and messages. */
#include <errno.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/units.h"
#include "k6gen/http/cookie.h"
#include "k6gen/http/swarm_priv.h"

/* curl's clock readings are whole microseconds since the start. */
static int64_t
info_ns(const struct user *u, CURLINFO which)
{
	curl_off_t us = 0;

	(void)curl_easy_getinfo(u->easy, which, &us);
	return us * NS_PER_US;
}

int64_t
swarm_info(const struct user *u, CURLINFO which)
{
	long value = 0;

	(void)curl_easy_getinfo(u->easy, which, &value);
	return value;
}

static int64_t
between(int64_t from, int64_t to)
{
	return from > 0 && to > from ? to - from : 0;
}

/* PROTOCOL 2.1. curl's own times for sending and waiting are not used: its
 * STARTTRANSFER is wrong for uploads before 8.2. */
static void
take_timings(const struct user *u, int64_t done_ns, int64_t ns[TIMINGS])
{
	int64_t dialed;

	memset(ns, 0, TIMINGS * sizeof(ns[0]));
	/* All are 0 for a kept connection, and for what failed. */
	if (u->is_plain) {
		ns[TIMING_CONNECTING] = between(u->exchange->connect_ns,
		    u->ready_ns);
	} else if (!u->was_given) {
		dialed = info_ns(u, CURLINFO_CONNECT_TIME_T);
		ns[TIMING_CONNECTING] = between(
		    info_ns(u, CURLINFO_NAMELOOKUP_TIME_T), dialed);
		ns[TIMING_TLS_HANDSHAKING] = between(dialed,
		    info_ns(u, CURLINFO_APPCONNECT_TIME_T));
	}
	ns[TIMING_BLOCKED] = between(u->start_ns, u->ready_ns);
	ns[TIMING_SENDING] = between(u->ready_ns, u->sent_ns);
	ns[TIMING_WAITING] = between(u->sent_ns,
	    u->first_ns != 0 ? u->first_ns : done_ns);
	ns[TIMING_RECEIVING] = between(u->first_ns, done_ns);
	ns[TIMING_DURATION] = ns[TIMING_SENDING] + ns[TIMING_WAITING] +
	    ns[TIMING_RECEIVING];
}

static void
set_error(struct swarm_reply *r, int code, const char *text)
{
	r->error_code = code;
	r->error = text;
}

/* op is Go's name of the operation: dial, read, write. */
static void
set_os_error(struct user *u, struct swarm_reply *r, const char *op)
{
	const char *text = strerror(r->os_error);
	size_t room = sizeof(u->explained);

	if (r->os_error == ECONNRESET) {
		(void)snprintf(u->explained, room,
		    "%s: connection reset by peer", op);
		set_error(r, 1220, u->explained);
	} else if (r->os_error == EPIPE) {
		(void)snprintf(u->explained, room, "%s: broken pipe", op);
		set_error(r, 1201, u->explained);
	} else {
		(void)snprintf(u->explained, room, "%s: unknown errno %d "
		    "error with msg `%s`", op, r->os_error, text);
		set_error(r, strcmp(op, "dial") == 0 ? 1213 : 1202,
		    u->explained);
	}
}

static void
explain_dial(struct user *u, struct swarm_reply *r)
{
	if (r->os_error == ECONNREFUSED)
		set_error(r, 1212, "dial: connection refused");
	else if (r->os_error == ETIMEDOUT)
		set_error(r, 1211, "dial: i/o timeout");
	else if (r->os_error != 0)
		set_os_error(u, r, "dial");
	else
		set_error(r, 1210, "dial: no connection");
}

static void
explain_certificate(const struct user *u, struct swarm_reply *r)
{
	switch (swarm_info(u, CURLINFO_SSL_VERIFYRESULT)) {
	/* The chain is good, so it was the name; curl leaves "unspecified". */
	case X509_V_OK:
	case X509_V_ERR_UNSPECIFIED:
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		set_error(r, 1311,
		    "x509: certificate doesn't match hostname");
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
	case X509_V_ERR_CERT_HAS_EXPIRED:
		set_error(r, 1300,
		    "x509: certificate has expired or is not yet valid");
		break;
	default:
		set_error(r, 1310, "x509: unknown authority");
		break;
	}
}

static void
explain_tls(struct user *u, struct swarm_reply *r)
{
	if (strstr(u->error, "wrong version number") != NULL ||
	    strstr(u->error, "packet length too long") != NULL)
		set_error(r, 1301, "tls: first record does not look like a "
		    "TLS handshake");
	else if (r->os_error == ECONNRESET || r->os_error == EPIPE)
		set_os_error(u, r, "read");
	else
		set_error(r, 1300, "tls: handshake failure");
}

/* The whole request's time is up, or that of making a connection. */
static void
explain_timeout(const struct user *u, struct swarm_reply *r, int64_t done_ns)
{
	if (u->ready_ns == 0 && done_ns - u->start_ns < u->timeout_ns)
		set_error(r, 1211, "dial: i/o timeout");
	else
		set_error(r, 1050, "request timeout");
}

/* curl keeps an errno from request to request; what it says tells whether the
 * number belongs to this one. */
static int
os_error_of(const struct user *u, CURLcode code)
{
	int e;

	if (u->os_error != 0 || u->is_plain)
		return u->os_error;
	e = (int)swarm_info(u, CURLINFO_OS_ERRNO);
	return code == CURLE_COULDNT_CONNECT ||
	    strstr(u->error, strerror(e)) != NULL ? e : 0;
}

/* Texts hold nothing that differs from request to request (curl's own name
 * ports and times): they become a tag. */
static void
explain(struct user *u, CURLcode code, struct swarm_reply *r, int64_t done_ns)
{
	r->os_error = os_error_of(u, code);
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		explain_timeout(u, r, done_ns);
		break;
	case CURLE_COULDNT_RESOLVE_HOST:
		set_error(r, 1101, "lookup: no such host");
		break;
	case CURLE_COULDNT_CONNECT:
		explain_dial(u, r);
		break;
	case CURLE_SSL_CONNECT_ERROR:
		explain_tls(u, r);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
		explain_certificate(u, r);
		break;
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		if (r->os_error != 0)
			set_os_error(u, r,
			    code == CURLE_SEND_ERROR ? "write" : "read");
		else if (strstr(u->error, "too large") != NULL ||
		    strstr(u->error, "Too large") != NULL)
			set_error(r, 1000, "response header too long");
		else
			set_error(r, 1000, "EOF");
		break;
	/* on_body's: more than max_body. */
	case CURLE_WRITE_ERROR:
		set_error(r, 1000, "response body too long");
		break;
	case CURLE_BAD_CONTENT_ENCODING:
		set_error(r, 1701, "decompression failed");
		break;
	case CURLE_GOT_NOTHING:
		set_error(r, 1000, "EOF");
		break;
	case CURLE_PARTIAL_FILE:
		set_error(r, 1000, "unexpected EOF");
		break;
	/* What a header line without end comes to. */
	case CURLE_OUT_OF_MEMORY:
		set_error(r, 1000, "response header too long");
		break;
	case CURLE_URL_MALFORMAT:
		set_error(r, 1020, "invalid URL");
		break;
	case CURLE_HTTP2_STREAM:
		set_error(r, 1630, "http2: stream error");
		break;
	case CURLE_HTTP2:
		set_error(r, 1650, "http2: connection error");
		break;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		set_error(r, 1000, u->sent_ns != 0 ? "malformed HTTP response"
		    : "unsupported protocol scheme");
		break;
	default:
		set_error(r, 1000, curl_easy_strerror(code));
		break;
	}
}

static const char *
proto_name(int64_t version)
{
	switch (version) {
	case CURL_HTTP_VERSION_1_0:
		return "HTTP/1.0";
	case CURL_HTTP_VERSION_2_0:
		return "HTTP/2.0";
	case CURL_HTTP_VERSION_3:
		return "HTTP/3.0";
	default:
		return "HTTP/1.1";
	}
}

/* Where it was connected to. */
static const char *
read_ip(struct user *u)
{
	const struct conn *c;
	char *ip = NULL;

	if (u->is_plain) {
		c = u->exchange->conn;
		if (c == NULL || c->ip[0] == '\0')
			return NULL;
		ip = (char *)c->ip;
	} else if (curl_easy_getinfo(u->easy, CURLINFO_PRIMARY_IP, &ip) !=
	    CURLE_OK || ip == NULL || ip[0] == '\0') {
		return NULL;
	}
	(void)snprintf(u->ip, sizeof(u->ip), "%s", ip);
	return u->ip;
}

/* The value of one of swarm_plain's fields, from line *at on. */
static bool
find_field(const struct user *u, const char *name, size_t *at,
    struct span *value)
{
	const struct buf *f = &u->exchange->fields;
	size_t n = strlen(name), length;
	const char *line, *end;

	while (*at < f->n) {
		line = f->p + *at;
		end = memchr(line, '\n', f->n - *at);
		length = end != NULL ? (size_t)(end - line) : f->n - *at;
		*at += length + 1;
		if (length < n + 2 || line[n] != ':' ||
		    strncasecmp(line, name, n) != 0)
			continue;
		*value = (struct span){ line + n + 2, length - n - 2 };
		return true;
	}
	return false;
}

/* curl's own jar takes the cookie, and from now on curl makes the user's
 * requests. */
static void
keep_cookie(struct user *u, struct span value)
{
	struct buf line = { 0 };

	if (cookie_line(value, u->exchange->authority, u->exchange->path,
	    now_unix_ns() / NS_PER_S, &line)) {
		(void)curl_easy_setopt(u->easy, CURLOPT_COOKIELIST, line.p);
		u->has_cookies = true;
	}
	buf_release(&line);
}

static void
keep_cookies(struct user *u)
{
	struct span value;
	size_t at = 0;

	while (find_field(u, "Set-Cookie", &at, &value))
		keep_cookie(u, value);
}

/* What curl, or our own parser, found. */
static void
read_answer(struct user *u, struct swarm_reply *r)
{
	const struct http_parser *p;

	if (u->is_plain) {
		p = &u->exchange->parser;
		r->status = p->status_code;
		r->proto = p->http_major == 1 && p->http_minor == 0 ?
		    "HTTP/1.0" : "HTTP/1.1";
		keep_cookies(u);
		return;
	}
	r->status = (int)swarm_info(u, CURLINFO_RESPONSE_CODE);
	r->proto = proto_name(swarm_info(u, CURLINFO_HTTP_VERSION));
	if (u->tls_version[0] != '\0')
		r->tls_version = u->tls_version;
}

static void
read_location(struct user *u, struct swarm_reply *r)
{
	struct span location;

	/* Of an empty header curl keeps the line's end. */
	if (r->status / 100 != 3 || !swarm_header(r, "Location", &location)
	    || location.n == 0 || (unsigned char)location.p[0] <= ' ')
		return;
	r->location = location.p;
	if (!u->is_plain)
		return;
	buf_reset(&u->exchange->location);
	buf_span(&u->exchange->location, location);
	r->location = u->exchange->location.p;
}

void
swarm_read_reply(struct user *u, CURLcode code, struct swarm_reply *r)
{
	int64_t done_ns = now_monotonic_ns();

	r->time_ns = now_unix_ns();
	r->body_bytes = u->body_bytes;
	r->ip = read_ip(u);
	take_timings(u, done_ns, r->ns);
	if (code != CURLE_OK) {
		explain(u, code, r, done_ns);
		return;
	}
	r->body = buf_whole(&u->body);
	read_answer(u, r);
	read_location(u, r);
	if (r->status >= 400)
		r->error_code = 1000 + r->status;
}

bool
swarm_header(const struct swarm_reply *reply, const char *name,
    struct span *value)
{
	struct curl_header *header;
	size_t at = 0;

	if (reply->status == 0)
		return false;
	if (reply->from->is_plain)
		return find_field(reply->from, name, &at, value);
	if (curl_easy_header(reply->from->easy, name, 0, CURLH_HEADER, -1,
	    &header) != CURLHE_OK)
		return false;
	*value = span_of(header->value);
	return true;
}

void
swarm_headers(const struct swarm_reply *reply, struct buf *out)
{
	struct curl_header *header = NULL;

	if (reply->status == 0)
		return;
	if (reply->from->is_plain) {
		buf_span(out, buf_whole(&reply->from->exchange->fields));
		return;
	}
	while ((header = curl_easy_nextheader(reply->from->easy,
	    CURLH_HEADER, -1, header)) != NULL)
		buf_printf(out, "%s: %s\n", header->name, header->value);
}
