/* SPDX-License-Identifier: MIT */
#include "k6gen/http/cookie.c"

#include "tap.h"

#define HOST "www.test.example:80"

static const struct {
	const char *value, *authority, *path, *line;	/* NULL: refused */
} rows[] = {
	{ "a=1", HOST, "/", "www.test.example\tFALSE\t/\tFALSE\t0\ta\t1" },
	{ "a=1", "localhost:8080", "/", "localhost\tFALSE\t/\tFALSE\t0\ta\t1" },
	{ "a=1", "[::1]:80", "/", "::1\tFALSE\t/\tFALSE\t0\ta\t1" },
	{ " a = b c ; Secure; HttpOnly", HOST, "/",
	    "www.test.example\tFALSE\t/\tTRUE\t0\ta\tb c" },
	{ "a=", HOST, "/", "www.test.example\tFALSE\t/\tFALSE\t0\ta\t" },
	{ "a=b=c", HOST, "/", "www.test.example\tFALSE\t/\tFALSE\t0\ta\tb=c" },
	/* paths */
	{ "a=1", HOST, "", "www.test.example\tFALSE\t/\tFALSE\t0\ta\t1" },
	{ "a=1", HOST, "/x?y=/z/",
	    "www.test.example\tFALSE\t/\tFALSE\t0\ta\t1" },
	{ "a=1", HOST, "/x/y/z",
	    "www.test.example\tFALSE\t/x/y\tFALSE\t0\ta\t1" },
	{ "a=1; path=/p", HOST, "/x/y",
	    "www.test.example\tFALSE\t/p\tFALSE\t0\ta\t1" },
	{ "a=1; Path=p", HOST, "/x/y",
	    "www.test.example\tFALSE\t/x\tFALSE\t0\ta\t1" },
	/* domains */
	{ "a=1; Domain=test.example", HOST, "/",
	    ".test.example\tTRUE\t/\tFALSE\t0\ta\t1" },
	{ "a=1; Domain=.TEST.example", HOST, "/",
	    ".TEST.example\tTRUE\t/\tFALSE\t0\ta\t1" },
	{ "a=1; Domain=example", HOST, "/",
	    "www.test.example\tFALSE\t/\tFALSE\t0\ta\t1" },
	{ "a=1; Domain=", HOST, "/",
	    "www.test.example\tFALSE\t/\tFALSE\t0\ta\t1" },
	{ "a=1; Domain=other.example", HOST, "/", NULL },
	{ "a=1; Domain=st.example", HOST, "/", NULL },
	{ "a=1; Domain=deep.www.test.example", HOST, "/", NULL },
	{ "a=1; Domain=0.1", "127.0.0.1:80", "/", NULL },
	{ "a=1; Domain=127.0.0.1", "127.0.0.1:80", "/",
	    "127.0.0.1\tFALSE\t/\tFALSE\t0\ta\t1" },
	{ "a=1; Domain=127.0.0.1", "localhost:80", "/", NULL },
	/* ages; it is second 1000 */
	{ "a=1; Max-Age=5", "h:80", "/", "h\tFALSE\t/\tFALSE\t1005\ta\t1" },
	{ "a=1; Max-Age=0", "h:80", "/", "h\tFALSE\t/\tFALSE\t1\ta\t1" },
	{ "a=1; Max-Age=-9", "h:80", "/", "h\tFALSE\t/\tFALSE\t1\ta\t1" },
	{ "a=1; Max-Age=x", "h:80", "/", "h\tFALSE\t/\tFALSE\t0\ta\t1" },
	{ "a=1; Max-Age=99999999999999999999", "h:80", "/",
	    "h\tFALSE\t/\tFALSE\t0\ta\t1" },
	{ "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "h:80", "/",
	    "h\tFALSE\t/\tFALSE\t1\ta\t1" },
	{ "a=1; Expires=Thu, 01 Jan 1970 00:20:00 GMT", "h:80", "/",
	    "h\tFALSE\t/\tFALSE\t1200\ta\t1" },
	{ "a=1; Max-Age=7; Expires=Thu, 01 Jan 1970 00:20:00 GMT", "h:80", "/",
	    "h\tFALSE\t/\tFALSE\t1007\ta\t1" },
	{ "a=1; Expires=soon", "h:80", "/", "h\tFALSE\t/\tFALSE\t0\ta\t1" },
	/* none */
	{ "", HOST, "/", NULL }, { "a", HOST, "/", NULL },
	{ "=1", HOST, "/", NULL }, { "; a=1", HOST, "/", NULL },
	{ "a\tb=1", HOST, "/", NULL }, { "a=1\t2", HOST, "/", NULL },
};

static void
lines(void)
{
	struct buf out = { 0 };
	bool is_cookie;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_reset(&out);
		buf_text(&out, "");
		is_cookie = cookie_line(span_of(rows[i].value),
		    rows[i].authority, rows[i].path, 1000, &out);
		CHECK(is_cookie == (rows[i].line != NULL));
		CHECK_BUF(out, rows[i].line != NULL ? rows[i].line : "");
	}
	buf_release(&out);
}

int
main(void)
{
	test("cookies are those of their host, path and age", lines);
	return tap_end();
}
