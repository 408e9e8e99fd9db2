/* SPDX-License-Identifier: MIT */
#include "k6gen/http/authority.c"

#include "tap.h"

static void
hosts(void)
{
	CHECK(span_is(authority_host("a.b:80"), "a.b"));
	CHECK(span_is(authority_host("[::1]:443"), "::1"));
	CHECK(span_is(authority_host("127.0.0.1:1"), "127.0.0.1"));
}

static void
urls(void)
{
	char authority[AUTHORITY];
	bool has_tls;
	const char *rest = authority_split("https://u:p@a.b/c?d", authority,
	    &has_tls);

	CHECK_TEXT(authority, "a.b:443");
	CHECK(rest != NULL && has_tls);
	CHECK_TEXT(rest, "/c?d");
	rest = authority_split("HTTP://[::1]:81", authority, &has_tls);
	CHECK_TEXT(authority, "[::1]:81");
	CHECK(rest != NULL && *rest == '\0' && !has_tls);
	CHECK(authority_split("ftp://a", authority, &has_tls) == NULL);
	CHECK(authority_split("http:///x", authority, &has_tls) == NULL);
	CHECK(authority_split("http://a:/x", authority, &has_tls) == NULL);
}

static void
no_urls(void)
{
	static const char *const bad[] = { "http://a:0/", "http://a:65536/",
	    "http://a:99999/", "http://a:80x/", "http://a:-1/",
	    "http://a:000080/", "http://[::1/x", "http://[::1]x:81/",
	    "http://a[::1]/", "http://[]:81/", "http://::1]:81/" };
	char authority[AUTHORITY];
	bool has_tls;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(authority_split(bad[i], authority, &has_tls) == NULL);
	CHECK(authority_split("http://a:65535", authority, &has_tls) != NULL);
}

int
main(void)
{
	test("the host of host:port has no brackets", hosts);
	test("a URL has an authority with a port", urls);
	test("a port or a host that cannot be asked is no authority", no_urls);
	return tap_end();
}
