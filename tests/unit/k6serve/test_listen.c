/* SPDX-License-Identifier: MIT */
#include "k6serve/http/listen.c"

#include "tap.h"

static void
loopback(void)
{
	struct listener l = { .fd = -1 }, second = { .fd = -1 };
	struct why why;

	CHECK(listen_open(&l, "127.0.0.1:0", &why) == 0);
	CHECK(l.is_loopback && l.port > 0);
	CHECK(strncmp(l.address, "127.0.0.1:", 10) == 0);
	CHECK(listen_open(&second, l.address, &why) == -1);
	CHECK_TEXT(why.text, "Address already in use");
	CHECK(second.fd == -1);
	(void)close(l.fd);
}

static void
all(void)
{
	struct listener l = { .fd = -1 };
	struct why why;

	CHECK(listen_open(&l, "0.0.0.0:0", &why) == 0);
	CHECK(!l.is_loopback);
	(void)close(l.fd);
}

static void
refuses(void)
{
	static const char *const bad[] = { "", "127.0.0.1", "127.0.0.1:",
	    "::1:80", "127.0.0.1:http", "127.0.0.1:99999", "[::1:80" };
	struct listener l = { .fd = -1 };
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(listen_open(&l, bad[i], &why) == -1 && l.fd == -1);
}

int
main(void)
{
	test("loopback is told, and a port that is taken", loopback);
	test("an address for all is not loopback", all);
	test("what is no address is refused", refuses);
	return tap_end();
}
