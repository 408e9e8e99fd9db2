/* SPDX-License-Identifier: MIT */
#include "k6gen/http/http1.c"
#include "k6gen/http/http1_answer.c"

#include <stdio.h>

#include "tap.h"

static struct http_options options;
static struct engine engine = { .options = &options };
static struct user user = { .engine = &engine };
static struct http1_answer answer;

static void
test_heads(void)
{
	static const char *const all[] = { "X-A: 1", "Authorization: s" };
	static const char *const own[] = { "x-a: 2", "Accept:" };
	static const char *const empty[] = { "Accept:", "X-Empty: " };
	struct http_request r = { .method = "PUT", .url = "http://h:80?q",
		.body = SPAN("abc") };
	struct http1_request q = { .r = &r, .host = SPAN("h") };
	struct http1_heads heads;
	struct buf out = { 0 };

	options = (struct http_options){ .user_agent = "u",
		.headers = { all, 2 } };
	http1_init_heads(&heads, &options);
	q.path = "?q";
	http1_write_head(&heads, &q, &out);
	CHECK_TEXT(out.p, "PUT /?q HTTP/1.1\r\nHost: h\r\n"
	    "User-Agent: u\r\nAccept: */*\r\nX-A: 1\r\n"
	    "Authorization: s\r\nContent-Length: 3\r\n\r\n");
	r = (struct http_request){ .method = "GET", .url = "http://h:8/",
		.headers = { own, 2 }, .leave_out = HTTP_NO_SECRETS };
	q.path = "/";
	q.host = SPAN("h:8");
	q.cookies = SPAN("a=1");
	http1_write_head(&heads, &q, &out);
	CHECK_TEXT(out.p, "GET / HTTP/1.1\r\nHost: h:8\r\n"
	    "User-Agent: u\r\nx-a: 2\r\nCookie: a=1\r\n\r\n");
	r = (struct http_request){ .method = "GET", .url = "http://h:8/",
		.headers = { empty, 2 } };
	options.headers = (struct http_texts){ all, 0 };
	q.cookies = SPAN("");
	http1_write_head(&heads, &q, &out);
	CHECK_TEXT(out.p, "GET / HTTP/1.1\r\nHost: h:8\r\n"
	    "User-Agent: u\r\nX-Empty: \r\n\r\n");
	http1_release_heads(&heads);
	buf_release(&out);
}

static void
test_cookies(void)
{
	static const char *const all[] = { "Cookie: a=1", "X-A: 1",
		"cookie: b=2 ", "Cookie: " };
	static const char *const own[] = { "cookie:c=3" };
	const struct http_texts options_own = { all, 4 }, mine = { own, 1 },
	    none = { own, 0 };
	struct buf out = { 0 };

	header_write_cookies(&none, &options_own, 0, &out);
	CHECK_SPAN(buf_whole(&out), "a=1; b=2");
	buf_reset(&out);
	header_write_cookies(&mine, &options_own, 0, &out);
	CHECK_SPAN(buf_whole(&out), "c=3");
	buf_reset(&out);
	header_write_cookies(&mine, &options_own, HTTP_NO_SECRETS, &out);
	CHECK(out.n == 0);
	buf_release(&out);
}

/* Take an answer byte by byte; at its end the connection may be closed. */
static enum http_failure
take_answer(const char *text, bool is_head, bool has_end)
{
	enum http_failure failure = FAILURE_NONE;

	buf_reset(&user.body);
	user.body_bytes = 0;
	http1_begin_answer(&answer, &user, NULL, is_head);
	for (; *text != '\0' && failure == FAILURE_NONE &&
	    !answer.is_complete; text++)
		failure = http1_take_bytes(&answer, text, 1);
	if (has_end && failure == FAILURE_NONE && !answer.is_complete)
		failure = http1_take_bytes(&answer, NULL, 0);
	return failure;
}

static void
test_answers(void)
{
	struct http_reply r = { 0 };

	options = (struct http_options){ .keep_body = 4 };
	CHECK(take_answer("HTTP/1.1 100 Continue\r\nA: 0\r\n\r\n"
	    "HTTP/1.1 201 Created\r\nA:  1\r\nContent-Length: 6\r\n\r\n"
	    "abcdef", false, false) == FAILURE_NONE);
	CHECK(answer.is_complete && http1_keeps_connection(&answer));
	CHECK_TEXT(user.headers.p, "A: 1\nContent-Length: 6\n");
	CHECK_TEXT(user.body.p, "abcd");
	CHECK(user.body_bytes == 6);
	http1_fill_reply(&answer, &r);
	CHECK(r.status == 201);
	CHECK_TEXT(r.proto, "HTTP/1.1");
	CHECK(take_answer("HTTP/1.0 200 OK\r\n\r\nab", false, true) ==
	    FAILURE_NONE && answer.is_complete);
	CHECK(!http1_keeps_connection(&answer));
	http1_fill_reply(&answer, &r);
	CHECK_TEXT(r.proto, "HTTP/1.0");
	CHECK(take_answer("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n",
	    true, false) == FAILURE_NONE && answer.is_complete);
}

static void
test_failures(void)
{
	options = (struct http_options){ .max_body = 3 };
	CHECK(take_answer("hello\r\n", false, false) == FAILURE_MALFORMED);
	CHECK(take_answer("HTTP/1.1 200 OK\r\nContent-Le", false, true) ==
	    FAILURE_CUT);
	CHECK(take_answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
	    false, true) == FAILURE_CUT);
	CHECK(take_answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd",
	    false, false) == FAILURE_LONG_BODY);
}

/* Take an answer at once that has a body of one byte. */
static bool
take_known(struct http1_known *k, const char *text, bool is_head)
{
	buf_reset(&user.body);
	user.body_bytes = 0;
	http1_begin_answer(&answer, &user, k, is_head);
	return http1_take_bytes(&answer, text, strlen(text)) ==
	    FAILURE_NONE && answer.is_complete && user.body_bytes == !is_head;
}

static void
test_known_heads(void)
{
	static const char first[] = "HTTP/1.1 201 A\r\nContent-Length: 1\r\n"
	    "Set-Cookie: a=1\r\n\r\n";
	static const char other[] = "HTTP/1.0 404 A\r\nContent-Length: 1\r\n"
	    "\r\nx";
	struct http1_known k = { .last = 0 };
	struct http_reply r = { 0 };
	char text[128];
	int i;

	options = (struct http_options){ .keep_body = 4 };
	(void)snprintf(text, sizeof(text), "%sb", first);
	for (i = 0; i < 20; i++) {
		CHECK(take_known(&k, i % 2 == 0 ? text : other, false));
		CHECK_TEXT(user.headers.p, i % 2 == 0 ? "Content-Length: 1\n"
		    "Set-Cookie: a=1\n" : "Content-Length: 1\n");
		CHECK_TEXT(user.body.p, i % 2 == 0 ? "b" : "x");
		CHECK(answer.has_cookies == (i % 2 == 0));
		CHECK(http1_keeps_connection(&answer) == (i % 2 == 0));
		http1_fill_reply(&answer, &r);
		CHECK(r.status == (i % 2 == 0 ? 201 : 404));
	}
	CHECK(k.next == 2);	/* each was read once */
	/* The same bytes as an answer to HEAD have no body. */
	CHECK(take_known(&k, first, true) && take_known(&k, first, true));
	CHECK(take_known(&k, text, false));
	/* One of many is still found, and those that change are not. */
	for (i = 0; i < 20; i++) {
		(void)snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\n"
		    "X: %d\r\nContent-Length: 1\r\n\r\n.", i);
		CHECK(take_known(&k, text, false));
		(void)snprintf(text, sizeof(text), "X: %d\n"
		    "Content-Length: 1\n", i);
		CHECK_TEXT(user.headers.p, text);
	}
	/* What comes before it is no part of it. */
	(void)snprintf(text, sizeof(text), "HTTP/1.1 100 Go on\r\nA: 1\r\n"
	    "\r\n%sb", first);
	for (i = 0; i < 2; i++) {
		CHECK(take_known(&k, text, false));
		CHECK_TEXT(user.headers.p, "Content-Length: 1\n"
		    "Set-Cookie: a=1\n");
	}
	http1_release_known(&k);
}

int
main(void)
{
	test("heads have the lines that the options and the request say",
	    test_heads);
	test("cookies of several headers are one, the request's own first",
	    test_cookies);
	test("answers are read, wherever their bytes are cut", test_answers);
	test("a head that comes again says the same", test_known_heads);
	test("what is no whole answer is a failure", test_failures);
	http1_release_answer(&answer);
	buf_release(&user.headers);
	buf_release(&user.body);
	return tap_end();
}
