/* SPDX-License-Identifier: MIT */
#include "k6agg/select/subst.c"

#include "tap.h"

static struct why why;

static void
replaces(void)
{
	static const struct {
		const char *command, *in, *out;
	} cases[] = {
		{ "s#/[0-9]+#/{id}#", "/u/7/p/12", "/u/{id}/p/12" },
		{ "s#/[0-9]+#/{id}#g", "/u/7/p/12", "/u/{id}/p/{id}" },
		{ "s/\\?.*//", "http://h/a?b=c", "http://h/a" },
		{ "s,a\\,b,x,", "1a,b2", "1x2" },
		{ "s/(a)(b)?/[\\2\\1&]/g", "abac", "[baab][aa]c" },
		{ "s/b/\\&\\\\\\n/", "abc", "a&\\\nc" },
		{ "s/A/x/i", "bab", "bxb" },
		{ "s/A/x/Ig", "aAa", "xxx" },
		{ "s/A/x/", "bab", "bab" },
		{ "s/x*/-/g", "abc", "-a-b-c-" },
		{ "s/x*/-/g", "xabxxc", "-a-b-c-" },
		{ "s/x*/-/g", "abx", "-a-b-" },
		{ "s/b*|c/<&>/g", "abcb", "<>a<b><c><b>" },
		{ "s/^a/b/g", "aaa", "baa" },
		{ "s/a$/b/g", "aaa", "aab" },
		{ "s/a/b/", "", "" },
		{ "s|a||g", "banana", "bnn" },
		{ "s/[/]/_/g", "a/b/c", "a_b_c" },
		{ "s/[^/]+/x/g", "a/bc", "x/x" },
		{ "s/[]/]/_/g", "a/b]c", "a_b_c" },
		{ "s/[^]/]/_/g", "a/]", "_/]" },
		{ "s/[[:digit:]/]/_/g", "a1/b", "a__b" },
		{ "s/[\\/]/_/g", "a/b", "a_b" },
		{ "s/\\[/_/g", "a[b", "a_b" },
		{ "s/a/[/", "a", "[" },
	};
	struct buf out = { 0 };
	struct subst s;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK(subst_parse(&s, cases[i].command, &why) == 0);
		buf_reset(&out);
		buf_text(&out, "");
		CHECK(subst_apply(&s, span_of(cases[i].in), &out) ==
		    (strcmp(cases[i].in, cases[i].out) != 0));
		CHECK_BUF(out, cases[i].out);
		subst_release(&s);
	}
	buf_release(&out);
}

/* A span ends where it says, not at a NUL. */
static void
ends(void)
{
	struct buf out = { 0 };
	struct subst s;

	CHECK(subst_parse(&s, "s/b/x/g", &why) == 0);
	CHECK(subst_apply(&s, (struct span){ "abb", 2 }, &out));
	CHECK_BUF(out, "ax");
	subst_release(&s);
	subst_release(&s);
	buf_release(&out);
}

static void
refuses(void)
{
	static const char *const bad[] = { "", "s", "s/", "s/a", "s/a/b",
		"y/a/b/", "s//b/", "s/a/b/x", "s/(/b/", "s/a/\\1/",
		"s/(a)/\\2/", "s\\a\\b\\", "s/a\\/b/", "s/[/b/", "s/[/]/" };
	struct subst s;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)why_set(&why, "untouched");
		CHECK(subst_parse(&s, bad[i], &why) < 0);
		CHECK(strcmp(why.text, "untouched") != 0);
		subst_release(&s);
	}
}

int
main(void)
{
	test("matches are replaced as sed does", replaces);
	test("a text ends with its span", ends);
	test("what is no s command is refused", refuses);
	return tap_end();
}
