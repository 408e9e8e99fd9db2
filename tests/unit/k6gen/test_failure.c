/* SPDX-License-Identifier: MIT */
#include "k6gen/http/failure.c"

#include <errno.h>

#include "tap.h"

static char room[FAILURE_TEXT];
static struct http_reply reply;

/* What a failure with an errno is called, and its code. */
static const char *
explain(enum http_failure failure, int os_error)
{
	reply = (struct http_reply){ .os_error = os_error };
	failure_explain(failure, room, &reply);
	return reply.error;
}

static void
test_all(void)
{
	int i;

	for (i = FAILURE_NONE + 1; i < FAILURES; i++) {
		if (i == FAILURE_OTHER)
			continue;
		CHECK(explain((enum http_failure)i, 0) != NULL);
		CHECK(reply.error_code >= 1000 && reply.error_code < 1800);
	}
}

static void
test_errno(void)
{
	CHECK_TEXT(explain(FAILURE_DIAL, ECONNREFUSED),
	    "dial: connection refused");
	CHECK(reply.error_code == 1212);
	CHECK_TEXT(explain(FAILURE_DIAL, ETIMEDOUT), "dial: i/o timeout");
	CHECK(reply.error_code == 1211);
	CHECK_TEXT(explain(FAILURE_DIAL, EHOSTUNREACH), "dial: unknown errno "
	    "113 error with msg `No route to host`");
	CHECK(reply.error_code == 1213);
	CHECK_TEXT(explain(FAILURE_WRITE, EPIPE), "write: broken pipe");
	CHECK(reply.error_code == 1201);
	CHECK_TEXT(explain(FAILURE_READ, ECONNRESET),
	    "read: connection reset by peer");
	CHECK(reply.error_code == 1220);
	CHECK_TEXT(explain(FAILURE_TLS, ECONNRESET),
	    "read: connection reset by peer");
	CHECK_TEXT(explain(FAILURE_TLS, EINVAL), "tls: handshake failure");
	CHECK_TEXT(explain(FAILURE_EOF, ECONNRESET), "EOF");
}

static void
test_other(void)
{
	reply = (struct http_reply){ .error = "told by the engine" };
	failure_explain(FAILURE_OTHER, room, &reply);
	CHECK_TEXT(reply.error, "told by the engine");
	CHECK(reply.error_code == 1000);
}

int
main(void)
{
	test("each failure has a code and a text", test_all);
	test("an errno makes a failure more exact", test_errno);
	test("what has no row keeps the engine's text", test_other);
	return tap_end();
}
