/* SPDX-License-Identifier: MIT */
/* failure: why a request failed, and how k6 says it (PROTOCOL 1.7). */
#ifndef K6PIPE_K6GEN_HTTP_FAILURE_H
#define K6PIPE_K6GEN_HTTP_FAILURE_H

#include "k6gen/request.h"

enum http_failure {
	FAILURE_NONE,
	FAILURE_URL,		/* it is none */
	FAILURE_SCHEME,		/* neither http nor https */
	FAILURE_LOOKUP,		/* the host has no address */
	FAILURE_DIAL,		/* no connection; errno says why */
	FAILURE_DIAL_TIMEOUT,
	FAILURE_TIMEOUT,	/* of the whole request */
	FAILURE_UNANSWERED,	/* when the run ended */
	FAILURE_WRITE,		/* errno says why; without one: the end */
	FAILURE_READ,
	FAILURE_EOF,		/* the end instead of an answer */
	FAILURE_CUT,		/* the end within the answer */
	FAILURE_MALFORMED,	/* no answer of HTTP */
	FAILURE_LONG_HEADER,
	FAILURE_LONG_BODY,
	FAILURE_ENCODING,	/* of a compressed body */
	FAILURE_TLS,		/* the handshake */
	FAILURE_NO_TLS,		/* the server speaks no TLS */
	FAILURE_CERT_HOST,	/* a certificate of another host */
	FAILURE_CERT_TIME,	/* too old, or of the future */
	FAILURE_CERT_ISSUER,	/* nobody to trust signed it */
	FAILURE_HTTP2_STREAM,
	FAILURE_HTTP2,
	FAILURE_OTHER,		/* reply->error says which */
	FAILURES,
};

enum { FAILURE_TEXT = 128 };

/* Set the reply's error and error_code; its os_error is set before. Texts
 * hold nothing that differs from request to request (ports, times), for they
 * become a tag. room backs a text with an errno. */
void failure_explain(enum http_failure failure, char room[FAILURE_TEXT],
    struct http_reply *reply);

#endif
