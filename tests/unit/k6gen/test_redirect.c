/* SPDX-License-Identifier: MIT */
#include "k6gen/http/redirect.c"

#include <stdlib.h>

#include "tap.h"

#define FIRST "http://host/a/b"

static struct http_request r;

/* What follows a request of FIRST that was answered so. */
static void
follow(const char *method, const char *body, int status, const char *location)
{
	struct http_reply reply = { .status = status, .location = location };

	free((char *)r.url);
	r = (struct http_request){ .method = method, .url = FIRST,
		.timeout_ns = 5 };
	if (body != NULL)
		r.body = span_of(body);
	CHECK(redirect_is(&reply));
	CHECK(redirect_follow(&r, &reply, FIRST) == r.url);
	CHECK(r.timeout_ns == 5);
}

/* And then what follows that. */
static void
follow_on(int status, const char *location)
{
	struct http_reply reply = { .status = status, .location = location };
	char *old = (char *)r.url;

	(void)redirect_follow(&r, &reply, FIRST);
	free(old);
}

static void
which(void)
{
	static const int codes[] = { 301, 302, 303, 307, 308 };
	struct http_reply reply = { .location = "/x" };
	int n = 0, i;

	for (reply.status = 0; reply.status < 1000; reply.status++)
		n += redirect_is(&reply);
	CHECK(n == 5);
	reply.location = NULL;
	for (i = 0; i < 5; i++) {
		reply.status = codes[i];
		CHECK(!redirect_is(&reply));
	}
}

static void
methods(void)
{
	static const int to_get[] = { 301, 302, 303 }, kept[] = { 307, 308 };
	int i;

	for (i = 0; i < 3; i++) {
		follow("POST", "data", to_get[i], "/x");
		CHECK_TEXT(r.method, "GET");
		CHECK(r.body.p == NULL && r.leave_out == HTTP_NO_CONTENT);
		follow("PUT", NULL, to_get[i], "/x");
		CHECK_TEXT(r.method, "GET");
		CHECK(r.leave_out == 0);
		follow("HEAD", NULL, to_get[i], "/x");
		CHECK_TEXT(r.method, "HEAD");
	}
	for (i = 0; i < 2; i++) {
		follow("POST", "data", kept[i], "/x");
		CHECK_TEXT(r.method, "POST");
		CHECK_SPAN(r.body, "data");
		CHECK(r.leave_out == 0);
	}
}

static void
secrets(void)
{
	follow("GET", NULL, 302, "/x");
	CHECK(r.leave_out == 0);
	follow("GET", NULL, 302, "http://HOST:80/x");
	CHECK(r.leave_out == 0);
	follow("GET", NULL, 302, "https://host/x");
	CHECK(r.leave_out == HTTP_NO_SECRETS);
	follow("GET", NULL, 307, "http://host:81/");
	CHECK(r.leave_out == HTTP_NO_SECRETS);
	follow("GET", NULL, 302, "//host@other/");
	CHECK(r.leave_out == HTTP_NO_SECRETS);
	follow("POST", "data", 301, "http://www.host/");
	CHECK(r.leave_out == (HTTP_NO_SECRETS | HTTP_NO_CONTENT));
	/* What counts is the URL that the user named. */
	follow_on(302, "/again");
	CHECK_TEXT(r.url, "http://www.host/again");
	CHECK(r.leave_out == (HTTP_NO_SECRETS | HTTP_NO_CONTENT));
	follow_on(302, "http://host/back");
	CHECK(r.leave_out == HTTP_NO_CONTENT);
}

static void
locations(void)
{
	follow("GET", NULL, 302, "c?d");
	CHECK_TEXT(r.url, "http://host/a/c?d");
	follow("GET", NULL, 302, "//other/x");
	CHECK_TEXT(r.url, "http://other/x");
	follow("GET", NULL, 302, "mailto:someone");
	CHECK_TEXT(r.url, "mailto:someone");
	CHECK(r.leave_out == HTTP_NO_SECRETS);
}

int
main(void)
{
	test("five statuses with a Location are redirects", which);
	test("301, 302 and 303 turn into GET, 307 and 308 repeat", methods);
	test("secrets stay with the origin that the user named", secrets);
	test("the Location is resolved, or taken as it is", locations);
	free((char *)r.url);
	return tap_end();
}
