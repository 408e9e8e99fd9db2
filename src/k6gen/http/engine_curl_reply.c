/* SPDX-License-Identifier: MIT */
/* Reads a finished request from libcurl: its answer, its times, and why it
 * failed. */
#include <errno.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "k6gen/http/engine_curl_priv.h"
#include "k6gen/http/tls.h"

/* curl's clock readings are whole microseconds since the start. */
static int64_t
info_ns(const struct libcurl_user *u, CURLINFO which)
{
	curl_off_t us = 0;

	(void)curl_easy_getinfo(u->easy, which, &us);
	return us * NS_PER_US;
}

int64_t
libcurl_info(const struct libcurl_user *u, CURLINFO which)
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

/* All are 0 for a kept connection. curl's own times for sending and waiting are
 * not used: its STARTTRANSFER is wrong for uploads before 8.2. Nor does it tell
 * when TCP was there before the handshake of TLS is over. */
static void
note_connecting(const struct libcurl_user *u, int64_t now_ns)
{
	int64_t looked_up = info_ns(u, CURLINFO_NAMELOOKUP_TIME_T);
	int64_t dialed = info_ns(u, CURLINFO_CONNECT_TIME_T);
	struct user *user = u->user;

	user->connecting_ns = between(looked_up, dialed);
	user->handshaking_ns = between(dialed,
	    info_ns(u, CURLINFO_APPCONNECT_TIME_T));
	if (user->ready_ns != 0 || looked_up == 0 || dialed != 0)
		return;
	user->connecting_ns = between(u->begun_ns + looked_up,
	    u->shaking_ns != 0 ? u->shaking_ns : now_ns);
	user->handshaking_ns = between(u->shaking_ns, now_ns);
}

static void
fill_ip(struct libcurl_user *u, struct http_reply *r)
{
	char *ip = NULL;

	if (curl_easy_getinfo(u->easy, CURLINFO_PRIMARY_IP, &ip) !=
	    CURLE_OK || ip == NULL || ip[0] == '\0')
		return;
	(void)snprintf(u->ip, sizeof(u->ip), "%s", ip);
	r->ip = u->ip;
}

void
libcurl_fill_connection(struct libcurl_user *u, int64_t now_ns,
    struct http_reply *r)
{
	note_connecting(u, now_ns);
	fill_ip(u, r);
}

static enum http_failure
certificate_failure(const struct libcurl_user *u)
{
	long result = libcurl_info(u, CURLINFO_SSL_VERIFYRESULT);

	/* The chain is good, so it was the name; curl leaves "unspecified". */
	return result == X509_V_OK || result == X509_V_ERR_UNSPECIFIED ?
	    FAILURE_CERT_HOST : tls_verify_failure(result);
}

static bool
says(const struct libcurl_user *u, const char *text)
{
	return strstr(u->error, text) != NULL;
}

static enum http_failure
failure_of(const struct libcurl_user *u, CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return FAILURE_NONE;
	case CURLE_OPERATION_TIMEDOUT:
		return FAILURE_TIMEOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
		return FAILURE_LOOKUP;
	case CURLE_COULDNT_CONNECT:
		return FAILURE_DIAL;
	case CURLE_SSL_CONNECT_ERROR:
		return says(u, "wrong version number") ||
		    says(u, "packet length too long") ? FAILURE_NO_TLS :
		    FAILURE_TLS;
	case CURLE_PEER_FAILED_VERIFICATION:
		return certificate_failure(u);
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		if (u->user->os_error == 0 && (says(u, "too large") ||
		    says(u, "Too large")))
			return FAILURE_LONG_HEADER;
		return code == CURLE_SEND_ERROR ? FAILURE_WRITE :
		    FAILURE_READ;
	/* on_header's or on_body's: more than they take. */
	case CURLE_WRITE_ERROR:
		return u->head_bytes > HEAD_MAX ? FAILURE_LONG_HEADER :
		    FAILURE_LONG_BODY;
	case CURLE_BAD_CONTENT_ENCODING:
		return FAILURE_ENCODING;
	case CURLE_GOT_NOTHING:
		return FAILURE_EOF;
	case CURLE_PARTIAL_FILE:
		return FAILURE_CUT;
	/* What a header line without end comes to. */
	case CURLE_OUT_OF_MEMORY:
		return FAILURE_LONG_HEADER;
	case CURLE_URL_MALFORMAT:
		return FAILURE_URL;
	case CURLE_HTTP2_STREAM:
		return FAILURE_HTTP2_STREAM;
	case CURLE_HTTP2:
		return FAILURE_HTTP2;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return u->user->sent_ns != 0 ? FAILURE_MALFORMED :
		    FAILURE_SCHEME;
	default:
		return FAILURE_OTHER;
	}
}

/* curl keeps an errno from request to request; what it says tells whether the
 * number belongs to this one. */
static int
os_error_of(const struct libcurl_user *u, CURLcode code)
{
	int e;

	if (u->user->os_error != 0)
		return u->user->os_error;
	e = (int)libcurl_info(u, CURLINFO_OS_ERRNO);
	return code == CURLE_COULDNT_CONNECT || says(u, strerror(e)) ? e : 0;
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

void
libcurl_fill_reply(struct libcurl_user *u, CURLcode code, struct http_reply *r)
{
	libcurl_fill_connection(u, 0, r);
	if (code == CURLE_OK) {
		r->status = (int)libcurl_info(u, CURLINFO_RESPONSE_CODE);
		r->proto = proto_name(libcurl_info(u, CURLINFO_HTTP_VERSION));
		if (u->tls_version[0] != '\0')
			r->tls_version = u->tls_version;
	} else {
		u->user->os_error = os_error_of(u, code);
		r->error = curl_easy_strerror(code);
	}
	user_fill_reply(u->user, failure_of(u, code), r);
}
