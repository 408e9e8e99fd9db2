/* SPDX-License-Identifier: MIT */
#include "k6gen/check.c"

#include "tap.h"

static struct http_reply reply;
static struct why why;

static bool
holds(const char *text)
{
	struct check c;
	bool result = false;

	CHECK(check_parse(&c, text, &why) == 0);
	result = check_holds(&c, &reply);
	check_release(&c);
	return result;
}

static void
test_numbers(void)
{
	reply = (struct http_reply){ .status = 200, .body_bytes = 12 };
	reply.ns[TIMING_DURATION] = 1500000;
	reply.ns[TIMING_WAITING] = 1000000;
	CHECK(holds("status==200") && !holds("status != 200"));
	CHECK(holds("status<=200") && holds("status>=200"));
	CHECK(!holds("status<200") && !holds("status>200"));
	CHECK(holds("size==12") && holds("size < 12.5"));
	CHECK(holds("duration==1.5") && holds("waiting<1.1"));
	CHECK(holds(" tls_handshaking == 0"));
}

static void
test_texts(void)
{
	reply = (struct http_reply){ .status = 200, .proto = "HTTP/1.1",
		.headers = SPAN("Server: x\ncontent-type: text/html\n"),
		.body = SPAN("hello\nworld") };
	CHECK(holds("body contains lo\nwo") && !holds("body contains x"));
	CHECK(holds("body matches ^hello") && !holds("body matches ^world$x"));
	CHECK(holds("body==hello\nworld") && holds("body!=hello"));
	CHECK(holds("proto==HTTP/1.1") && !holds("proto matches /2"));
	CHECK(holds("header Content-Type contains html"));
	CHECK(holds("header Content-Type==text/html"));
	CHECK(!holds("header X-None contains a"));
	CHECK(holds("header X-None!=a") && holds("header server==x"));
}

static void
test_failed(void)
{
	reply = (struct http_reply){ .status = 0 };
	CHECK(holds("status==0") && !holds("status==200"));
	CHECK(!holds("body contains a") && holds("body=="));
	CHECK(!holds("body matches a") && !holds("proto contains H"));
}

int
main(void)
{
	test("numbers are compared", test_numbers);
	test("texts are compared, searched and matched", test_texts);
	test("a request that failed has status 0 and no text", test_failed);
	return tap_end();
}
