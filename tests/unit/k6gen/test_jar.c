/* SPDX-License-Identifier: MIT */
#include "k6gen/http/jar.c"

#include "tap.h"

static struct jar jar;

static void
take(const char *headers, const char *authority, const char *path)
{
	jar_take(&jar, span_of(headers), authority, path, 1000);
}

static void
check_sent(const char *authority, const char *path, bool is_tls,
    const char *expected)
{
	struct buf out = { 0 };

	jar_write(&jar, authority, path, is_tls, 1000, &out);
	buf_char(&out, '.');
	CHECK_BUF(out, expected);
	buf_release(&out);
}

static void
test_sent(void)
{
	take("A: b\nSet-Cookie: a=1; Path=/\nset-cookie: b=2; Path=/x\n"
	    "Set-Cookie: c=3; Secure; Path=/\n", "h.test:80", "/");
	check_sent("h.test:80", "/", false, "a=1.");
	check_sent("H.test:8080", "/x?/y", false, "a=1; b=2.");
	check_sent("h.test:443", "/x/z", true, "a=1; b=2; c=3.");
	check_sent("h.test:80", "/xx", false, "a=1.");
	check_sent("i.h.test:80", "/", false, ".");
	take("Set-Cookie: a=4; Path=/\n", "h.test:80", "/");
	check_sent("h.test:80", "/", false, "a=4.");
	take("Set-Cookie: a=; Max-Age=0; Path=/\n", "h.test:80", "/");
	check_sent("h.test:80", "/", false, ".");
	jar_empty(&jar);
	check_sent("h.test:443", "/x", true, ".");
}

static void
test_domains(void)
{
	take("Set-Cookie: w=1; Domain=h.test; Path=/\n", "a.h.test:80", "/");
	check_sent("h.test:80", "/", false, "w=1.");
	check_sent("b.h.test:80", "/", false, "w=1.");
	check_sent("bh.test:80", "/", false, ".");
	jar_empty(&jar);
	take("Set-Cookie: s=1; Path=/\n", "[::1]:80", "/");
	check_sent("[::1]:81", "/", false, "s=1.");
	take("Set-Cookie: e=1; Max-Age=5\nSet-Cookie: f=1; Max-Age=5\n",
	    "t.test:80", "/p/q");
	check_sent("t.test:80", "/p/", false, "e=1; f=1.");
}

int
main(void)
{
	test("a cookie is sent where its path and its flags allow",
	    test_sent);
	test("a cookie is its host's, or its domain's", test_domains);
	jar_release(&jar);
	return tap_end();
}
