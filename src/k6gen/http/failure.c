/* SPDX-License-Identifier: MIT */
/* k6's error codes and texts for what went wrong with a request. */
#include "k6gen/http/failure.h"

#include <errno.h>
#include <stdio.h>

static const struct {
	int code;
	const char *text;
} rows[FAILURES] = {
	[FAILURE_URL] = { 1020, "invalid URL" },
	[FAILURE_SCHEME] = { 1000, "unsupported protocol scheme" },
	[FAILURE_LOOKUP] = { 1101, "lookup: no such host" },
	[FAILURE_DIAL] = { 1210, "dial: no connection" },
	[FAILURE_DIAL_TIMEOUT] = { 1211, "dial: i/o timeout" },
	[FAILURE_TIMEOUT] = { 1050, "request timeout" },
	[FAILURE_UNANSWERED] = { 1050, "request timeout" },
	[FAILURE_WRITE] = { 1000, "EOF" },
	[FAILURE_READ] = { 1000, "EOF" },
	[FAILURE_EOF] = { 1000, "EOF" },
	[FAILURE_CUT] = { 1000, "unexpected EOF" },
	[FAILURE_MALFORMED] = { 1000, "malformed HTTP response" },
	[FAILURE_LONG_HEADER] = { 1000, "response header too long" },
	[FAILURE_LONG_BODY] = { 1000, "response body too long" },
	[FAILURE_ENCODING] = { 1701, "decompression failed" },
	[FAILURE_TLS] = { 1300, "tls: handshake failure" },
	[FAILURE_NO_TLS] = { 1301,
	    "tls: first record does not look like a TLS handshake" },
	[FAILURE_CERT_HOST] = { 1311,
	    "x509: certificate doesn't match hostname" },
	[FAILURE_CERT_TIME] = { 1300,
	    "x509: certificate has expired or is not yet valid" },
	[FAILURE_CERT_ISSUER] = { 1310, "x509: unknown authority" },
	[FAILURE_HTTP2_STREAM] = { 1630, "http2: stream error" },
	[FAILURE_HTTP2] = { 1650, "http2: connection error" },
};

/* operation is Go's name of it: dial, read, write. */
static void
explain_errno(const char *operation, char room[FAILURE_TEXT],
    struct http_reply *r)
{
	r->error = room;
	if (r->os_error == ECONNRESET) {
		r->error_code = 1220;
		(void)snprintf(room, FAILURE_TEXT,
		    "%s: connection reset by peer", operation);
	} else if (r->os_error == EPIPE) {
		r->error_code = 1201;
		(void)snprintf(room, FAILURE_TEXT, "%s: broken pipe",
		    operation);
	} else {
		r->error_code = strcmp(operation, "dial") == 0 ? 1213 : 1202;
		(void)snprintf(room, FAILURE_TEXT, "%s: unknown errno %d "
		    "error with msg `%s`", operation, r->os_error,
		    strerror(r->os_error));
	}
}

static void
explain_dial(char room[FAILURE_TEXT], struct http_reply *r)
{
	if (r->os_error == ECONNREFUSED) {
		r->error_code = 1212;
		r->error = "dial: connection refused";
	} else if (r->os_error == ETIMEDOUT) {
		r->error_code = rows[FAILURE_DIAL_TIMEOUT].code;
		r->error = rows[FAILURE_DIAL_TIMEOUT].text;
	} else if (r->os_error != 0) {
		explain_errno("dial", room, r);
	}
}

void
failure_explain(enum http_failure failure, char room[FAILURE_TEXT],
    struct http_reply *r)
{
	if (failure == FAILURE_OTHER) {
		r->error_code = 1000;
		return;
	}
	r->error_code = rows[failure].code;
	r->error = rows[failure].text;
	if (failure == FAILURE_DIAL)
		explain_dial(room, r);
	else if (failure == FAILURE_WRITE && r->os_error != 0)
		explain_errno("write", room, r);
	else if ((failure == FAILURE_READ && r->os_error != 0) ||
	    (failure == FAILURE_TLS && (r->os_error == ECONNRESET ||
	    r->os_error == EPIPE)))
		explain_errno("read", room, r);
}
