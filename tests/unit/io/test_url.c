/* SPDX-License-Identifier: MIT */
#include "io/url.c"

#include "tap.h"

/* Stands in place of a text of 9000 bytes. */
#define LONG "http://long/"

struct checked {
	const char *url;
	const char *fault;	/* part of the reason; NULL: it is good */
	bool is_private;
};

static const struct checked table[] = {
	{ "http://host", NULL, false },
	{ "HTTP://HOST:65535/path?q#f", NULL, false },
	{ "https://host/", NULL, true },
	{ "http://h/a\\b", NULL, false },
	{ "http://h/\303\274", NULL, false },
	{ "http://h:/", NULL, false },
	/* another scheme, or none */
	{ "", "no scheme", false },
	{ "host.example", "no scheme", false },
	{ "//host/x", "no scheme", false },
	{ "http:host", "no scheme", false },
	{ "http:/host/", "no scheme", false },
	{ "javascript:alert(1)", "no scheme", false },
	{ "://host", "no scheme", false },
	{ "file:///etc/passwd", "scheme \"file\"", false },
	{ "file://localhost/etc/passwd", "scheme \"file\"", false },
	{ "gopher://host/", "scheme \"gopher\"", false },
	{ "ftp://127.0.0.1/", "scheme \"ftp\"", false },
	/* hosts */
	{ "http://", "", false },
	{ "http:///path", "no host", false },
	{ "http://?q", "", false },
	{ "http://:80/", "", false },
	{ "http://a%2Fb/", "hostname", false },
	{ "http://a%20b/", "hostname", false },
	{ "http://\\h/", "hostname", false },
	{ "http://a@b@c/", "hostname", false },
	{ "http://[::1", "IPv6", false },
	{ "http://[::1]x/", "", false },
	/* bytes that others may cut at */
	{ "http://a b/", "blank or control", false },
	{ "http://h/a b", "blank or control", false },
	{ "http://h/\r\nX: y", "blank or control", false },
	{ "http://h/\t", "blank or control", false },
	{ "http://h/\177", "blank or control", false },
	/* ports */
	{ "http://h:0/", "port", false },
	{ "http://h:65536/", "port", false },
	{ "http://h:-1/", "port", false },
	{ "http://h:x/", "port", false },
	{ LONG, "longer than 8000", false },
	/* what is this machine, and what only looks so */
	{ "http://localhost:8080/x", NULL, true },
	{ "http://LocalHost", NULL, true },
	{ "http://localhost./", NULL, false },
	{ "http://localhost.example/", NULL, false },
	{ "http://127.0.0.1", NULL, true },
	{ "http://127.255.3.2:1/", NULL, true },
	{ "http://127.1/", NULL, true },
	{ "http://0x7f.1/", NULL, true },
	{ "http://2130706433/", NULL, true },
	{ "http://%31%32%37.0.0.1/", NULL, true },
	{ "http://127.0.0.1.example/", NULL, false },
	{ "http://127.example/", NULL, false },
	{ "http://127\343\200\2020.0.1/", NULL, false },	/* IDN dot */
	{ "http://evil\343\200\202example/", NULL, false },
	{ "http://128.0.0.1/", NULL, false },
	{ "http://[::1]", NULL, true },
	{ "http://[::1]:8080/", NULL, true },
	{ "http://[0:0:0:0:0:0:0:1]/", NULL, true },
	{ "http://[::ffff:127.0.0.1]/", NULL, false },
	{ "http://[::2]/", NULL, false },
	{ "http://host/@127.0.0.1/", NULL, false },
	{ "http://host?@localhost", NULL, false },
	{ "http://host#@localhost", NULL, false },
};

static void
checks(void)
{
	const struct checked *c;
	char *text = xmalloc(9001);
	struct why why;
	int result;

	memset(text, 'a', 9000);
	memcpy(text, "http://h/", 9);
	text[9000] = '\0';
	for (c = table; c < table + sizeof(table) / sizeof(table[0]); c++) {
		why.text[0] = '\0';
		result = url_check(strcmp(c->url, LONG) == 0 ? text : c->url,
		    true, &why);
		if (result != (c->fault == NULL ? 0 : -1) ||
		    (c->fault != NULL && strstr(why.text, c->fault) == NULL) ||
		    url_is_private(c->url) != c->is_private) {
			CHECK_TEXT(c->url, "checked rightly");
			CHECK_TEXT(why.text, c->fault != NULL ? c->fault : "");
		}
		CHECK(result == 0 || why.text[0] != '\0');
	}
	text[3000] = '\0';
	CHECK(url_check(text, true, &why) == 0);
	free(text);
}

static void
users(void)
{
	static const char *const urls[] = { "http://user@host/",
		"http://user:password@host/", "http://:password@host/",
		"http://@host/", "http://host\\@evil/" };
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		CHECK(url_check(urls[i], true, &why) == 0);
		CHECK(url_check(urls[i], false, &why) < 0);
		CHECK_TEXT(why.text, "a user or password in the URL");
	}
	/* It is evil that curl would connect to. */
	CHECK(!url_is_private("http://127.0.0.1\\@evil/"));
	CHECK(!url_is_private("http://127.0.0.1@evil/"));
	CHECK(!url_is_private("http://localhost:80@evil/"));
}

static void
servers(void)
{
	char text[3001];
	struct why why;

	CHECK(url_check_server("http://host", false, false, &why) == 0);
	CHECK(url_check_server("http://host", true, true, &why) == 0);
	CHECK(url_check_server("https://host", true, false, &why) == 0);
	CHECK(url_check_server("http://[::1]:8080", true, false, &why) == 0);
	CHECK(url_check_server("http://host", true, false, &why) < 0);
	CHECK_TEXT(why.text, "http://host: a token would go over plain http: "
	    "use https, or --insecure-http");
	CHECK(url_check_server("http://127.evil.example", true, false,
	    &why) < 0);
	CHECK(url_check_server("http://joe:secret@host", false, true,
	    &why) < 0);
	CHECK_TEXT(why.text, "http://****:****@host/: a user or password in "
	    "the URL");
	CHECK(url_check_server("http://joe:secret@host:0x", false, true,
	    &why) < 0);
	CHECK(strstr(why.text, "secret") == NULL);
	memset(text, 'a', 3000);
	memcpy(text, "http://h/", 9);
	text[3000] = '\0';
	CHECK(url_check_server(text, false, false, &why) < 0);
	CHECK_TEXT(why.text, "URL longer than 2000 bytes");
	text[2000] = '\0';
	CHECK(url_check_server(text, false, false, &why) == 0);
}

static void
origins(void)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} pairs[] = {
		{ "http://h", "http://h/x?y", true },
		{ "http://h", "HTTP://H:80/", true },
		{ "https://h:443", "https://h", true },
		{ "http://joe:secret@h/", "http://h/", true },
		{ "http://[::1]/", "http://[0:0:0:0:0:0:0:1]:80/", true },
		{ "http://h", "https://h", false },
		{ "http://h", "http://h:443", false },
		{ "http://h:80", "https://h:80", false },
		{ "http://h", "http://www.h", false },
		{ "http://h", "http://h@evil/", false },
		{ "http://h", "http://h:80@evil/", false },
		{ "http://h", "http://h.", false },
		{ "http://h", "//h/", false },
		{ "h", "h", false },
	};
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (url_same_origin(pairs[i].a, pairs[i].b) !=
		    pairs[i].is_same)
			CHECK_TEXT(pairs[i].b, pairs[i].a);
}

static void
resolves_to(const char *base, const char *reference, const char *want)
{
	char *got = url_resolve(base, reference);

	CHECK_TEXT(got != NULL ? got : "(none)", want);
	free(got);
}

/* RFC 3986 5.4, but for "g:h" and "http:g", which have no host. */
static void
rfc_3986(void)
{
	static const char *const pairs[][2] = {
		{ "g", "b/c/g" }, { "./g", "b/c/g" }, { "g/", "b/c/g/" },
		{ "/g", "g" }, { "?y", "b/c/d;p?y" }, { "g?y", "b/c/g?y" },
		{ "#s", "b/c/d;p?q#s" }, { "g#s", "b/c/g#s" },
		{ "g?y#s", "b/c/g?y#s" }, { ";x", "b/c/;x" },
		{ "g;x", "b/c/g;x" }, { "g;x?y#s", "b/c/g;x?y#s" },
		{ "", "b/c/d;p?q" }, { ".", "b/c/" }, { "./", "b/c/" },
		{ "..", "b/" }, { "../", "b/" }, { "../g", "b/g" },
		{ "../..", "" }, { "../../", "" }, { "../../g", "g" },
		{ "../../../g", "g" }, { "../../../../g", "g" },
		{ "/./g", "g" }, { "/../g", "g" }, { "g.", "b/c/g." },
		{ ".g", "b/c/.g" }, { "g..", "b/c/g.." },
		{ "..g", "b/c/..g" }, { "./../g", "b/g" },
		{ "./g/.", "b/c/g/" }, { "g/./h", "b/c/g/h" },
		{ "g/../h", "b/c/h" }, { "g;x=1/./y", "b/c/g;x=1/y" },
		{ "g;x=1/../y", "b/c/y" }, { "g?y/./x", "b/c/g?y/./x" },
		{ "g?y/../x", "b/c/g?y/../x" }, { "g#s/./x", "b/c/g#s/./x" },
		{ "g#s/../x", "b/c/g#s/../x" },
	};
	char want[64];
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		(void)snprintf(want, sizeof(want), "http://a/%s",
		    pairs[i][1]);
		resolves_to("http://a/b/c/d;p?q", pairs[i][0], want);
	}
	resolves_to("http://a/b/c/d;p?q", "//g", "http://g/");
}

static void
locations(void)
{
	const char *base = "http://joe:secret@h:81/a/b?q=/x";

	resolves_to(base, "/x", "http://joe:secret@h:81/x");
	resolves_to(base, "x", "http://joe:secret@h:81/a/x");
	resolves_to(base, "//other/x", "http://other/x");
	resolves_to(base, "https://other:81/x", "https://other:81/x");
	resolves_to(base, "ftp://host/x", "ftp://host/x");
	resolves_to(base, "a b", "http://joe:secret@h:81/a/a%20b");
	resolves_to(base, "mailto:someone", "(none)");
	resolves_to(base, "http://[", "(none)");
	resolves_to(base, "http://h:x/", "(none)");
	resolves_to(base, "a\r\nb", "(none)");
	resolves_to("h", "/x", "(none)");
}

static void
masks(void)
{
	static const char *const pairs[][2] = {
		{ "http://h", "http://h" },
		{ "http://h/@x", "http://h/@x" },
		{ "http://h?q=a@b", "http://h?q=a@b" },
		{ "http://joe@h/x", "http://****@h/x" },
		{ "http://joe:secret@h/x?y#z",
		    "http://****:****@h/x?y#z" },
		{ "http://:secret@h/", "http://****:****@h/" },
		{ "http://joe:s%40%2f@h/", "http://****:****@h/" },
		{ "ftp://joe:secret@h/", "ftp://****:****@h/" },
		{ "http://joe:secret@h:99999/", "http://****@h:99999/" },
		{ "http://joe:sec@ret@h/", "http://****@h/" },
		{ "joe:secret@h", "****@h" },
		{ "joe@h/x://y", "****@h/x://y" },
	};
	char *got;
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		got = url_mask(pairs[i][0]);
		CHECK_TEXT(got, pairs[i][1]);
		free(got);
	}
}

int
main(void)
{
	test("only what curl and others read alike is a URL", checks);
	test("user and password are allowed or not", users);
	test("a token goes over https or to this machine", servers);
	test("an origin is scheme, host and port", origins);
	test("references resolve as in RFC 3986 5.4", rfc_3986);
	test("a Location is resolved against the request", locations);
	test("no mask lets a password through", masks);
	return tap_end();
}
