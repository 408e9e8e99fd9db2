/* SPDX-License-Identifier: MIT */
#include "k6push/send/outcome.c"

#include "tap.h"

static enum outcome
of(int status, const char *body)
{
	struct fetch_reply reply = { .status = status, .reason = "Reason",
	    .body = span_of(body), .retry_after_ns = -1 };

	return outcome_of(&reply);
}

static void
statuses(void)
{
	int s, n_bad = 0;
	enum outcome want;

	for (s = 0; s < 600; s++) {
		want = (s >= 200 && s < 300) || s == 409 ? OUTCOME_ACKED
		    : s == 0 || s == 408 || s == 425 || s == 429 || s >= 500
		    ? OUTCOME_RETRY : s == 413 ? OUTCOME_SPLIT
		    : s == 400 || s == 415 || s == 422 ? OUTCOME_REFUSED
		    : OUTCOME_HOLD;
		n_bad += of(s, "") != want || of(s, "{}") != want ||
		    of(s, "{\"error\":{\"code\":5}}") != want ||
		    of(s, "<html>") != (want == OUTCOME_ACKED
		    ? OUTCOME_HOLD : want);
		if (s != 403)
			n_bad += of(s, "{\"error\":{\"code\":4}}") != want;
	}
	CHECK(n_bad == 0);
}

static enum outcome
of_type(const char *type, const char *body)
{
	struct fetch_reply reply = { .status = 200, .reason = "OK",
	    .type = type, .body = span_of(body), .retry_after_ns = -1 };

	return outcome_of(&reply);
}

/* What is not the API's own answer has taken nothing. */
static void
pages(void)
{
	struct buf text = { 0 };
	int i;

	CHECK(of_type("text/html", "<html>login</html>") == OUTCOME_HOLD);
	CHECK(of_type("text/html", "") == OUTCOME_ACKED);
	CHECK(of_type("text/plain", "please log in") == OUTCOME_HOLD);
	CHECK(of_type("text/plain", " {\"a\":1}\n") == OUTCOME_ACKED);
	CHECK(of_type("application/json", "{\"a\":1") == OUTCOME_HOLD);
	CHECK(of_type("application/xhtml+xml", "<?xml ?>") == OUTCOME_HOLD);
	CHECK(of_type("application/x-protobuf", "\010\001") ==
	    OUTCOME_ACKED);
	CHECK(of_type(NULL, "\010\001") == OUTCOME_HOLD);
	buf_text(&text, "{\"a\":\"");
	for (i = 0; text.n < FETCH_BODY_MAX; i++)
		buf_char(&text, 'a');
	CHECK(of_type("application/json", text.p) == OUTCOME_ACKED);
	text.p[0] = '<';
	CHECK(of_type("application/json", text.p) == OUTCOME_HOLD);
	buf_release(&text);
}

static void
stop(void)
{
	CHECK(of(403, "{\"error\":{\"code\":4}}") == OUTCOME_STOP);
	CHECK(of(403, " {\"x\":[],\"error\":{\"message\":\"limit reached\","
	    "\"code\":4.0}}\n") == OUTCOME_STOP);
	CHECK(of(403, "{\"error\":{\"code\":4}") == OUTCOME_HOLD);
	CHECK(of(403, "{\"error\":{\"code\":\"4\"}}") == OUTCOME_HOLD);
	CHECK(of(403, "{\"error\":{\"code\":null}}") == OUTCOME_HOLD);
	CHECK(of(403, "{\"code\":4}") == OUTCOME_HOLD);
	CHECK(of(403, "{\"error\":4}") == OUTCOME_HOLD);
	CHECK(of(403, "[4]") == OUTCOME_HOLD);
}

static void
describes(int status, const char *body, const char *want)
{
	struct fetch_reply reply = { .status = status, .reason = "Reason",
	    .body = span_of(body) };
	struct buf out = { 0 };

	outcome_describe(&reply, "http://x/", &out);
	CHECK_BUF(out, want);
	buf_release(&out);
}

/* PROTOCOL 3.6; what k6 puts on lines of its own stands behind "; ". */
static void
messages(void)
{
	describes(403, "{\"error\":{\"code\":4,\"message\":"
	    "\"limit reached\"}}", "(403/E4) limit reached");
	describes(500, "{}", "(500) ");
	describes(500, "{\"error\":null}", "(500) ");
	describes(401, "<html>", "failed to authenticate with k6 Cloud");
	describes(403, "", "not allowed to upload result to k6 Cloud");
	describes(502, "<html>",
	    "unexpected HTTP error from http://x/: 502 Reason");
	describes(0, "", "http://x/: Reason");
	describes(400, "{\"error\":{\"message\":\"bad\",\"errors\":[\"bad\","
	    "\"one\",\"two\",7,\"one\"]}}", "(400) bad; one; two");
	describes(400, "{\"error\":{\"errors\":[\"one\"]}}", "(400) one");
	describes(422, "{\"error\":{\"message\":\"m\",\"details\":{\"f\":["
	    "\"a\",\"b\"],\"g\":[\"c\"]}}}", "(422) m; f: a, b; g: c");
	describes(422, "{\"error\":{\"message\":\"m\",\"details\":{\"f\":["
	    "\"a\"]},\"field_errors\":{\"f\":[\"a\"]}}}", "(422) m; f: a");
	describes(422, "{\"error\":{\"details\":{\"f\":[\"a\"]},"
	    "\"field_errors\":{\"g\":[\"b\"]}}}", "(422) f: a; g: b");
	describes(400, "{\"error\":{\"code\":17,\"message\":\"\\u0041\"}}",
	    "(400/E17) A");
}

int
main(void)
{
	test("a page in the place of an answer is none", pages);
	test("each status has its outcome", statuses);
	test("only 403 with code 4 stops the run", stop);
	test("errors are told in k6's words, on one line", messages);
	return tap_end();
}
