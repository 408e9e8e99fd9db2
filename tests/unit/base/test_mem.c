/* SPDX-License-Identifier: MIT */
#include "base/mem.c"

/* AddressSanitizer answers a huge malloc by itself. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED
#endif
#endif

#include "child.h"
#include "tap.h"

static void
empty_sizes(void)
{
	char *p = xmalloc(0), *q = xcalloc(0, 8), *r = xstrndup(NULL, 0);

	CHECK(p != NULL && q != NULL);
	CHECK_TEXT(r, "");
	p = xrealloc(p, 0);
	CHECK(p != NULL);
	free(p);
	free(q);
	free(r);
}

static void
copies(void)
{
	char *a = xstrdup("abc"), *b = xstrndup("abcdef", 4);
	char *c = xasprintf("%s-%d", "x", 7);

	CHECK_TEXT(a, "abc");
	CHECK_TEXT(b, "abcd");
	CHECK_TEXT(c, "x-7");
	free(a);
	free(b);
	free(c);
}

static void
grows(void)
{
	int *array = NULL, i, n_good = 0;
	size_t cap = 0;

	for (i = 0; i < 1000; i++) {
		array = xgrow(array, (size_t)i, &cap, sizeof(*array));
		array[i] = i;
	}
	for (i = 0; i < 1000; i++)
		n_good += array[i] == i;
	CHECK(n_good == 1000 && cap >= 1000 && cap <= 2048);
	free(array);
}

static void *volatile kept;
static volatile size_t huge = SIZE_MAX / 2;	/* hidden from the compiler */

static void
want_huge(void)
{
	kept = xmalloc(huge);
}

static void
want_huge_array(void)
{
	size_t cap = huge;

	kept = xgrow(NULL, huge, &cap, 16);
}

static void
exits(void)
{
	char text[4096];

#ifndef IS_SANITIZED
	CHECK(child(want_huge, text, sizeof(text)) == EXIT_FAILED);
	CHECK(strstr(text, "out of memory") != NULL);
#else
	(void)want_huge;
#endif
	CHECK(child(want_huge_array, text, sizeof(text)) == EXIT_FAILED);
	CHECK(strstr(text, "out of memory") != NULL);
}

static void
spans(void)
{
	struct span empty = { NULL, 0 };

	CHECK(span_equal(empty, SPAN("")));
	CHECK(span_is(SPAN("ab"), "ab"));
	CHECK(!span_is(SPAN("ab"), "abc"));
	CHECK(!span_is(SPAN("ab"), "ac"));
	CHECK(!span_equal(SPAN("a\0b"), SPAN("a\0c")));
	CHECK(span_of("abc").n == 3);
}

static void
trims(void)
{
	CHECK(span_is(span_trim(SPAN(" \t a b\t"), " \t"), "a b"));
	CHECK(span_is(span_trim(SPAN("\"'x'"), "\"'"), "x"));
	CHECK(span_trim(SPAN("   "), " ").n == 0);
	CHECK(span_trim(SPAN("\0 a \0"), " ").n == 5);
	CHECK(span_is(span_trim(SPAN("\r a"), " "), "\r a"));
}

int
main(void)
{
	test("a size of 0 is an allocation", empty_sizes);
	test("texts are copied and end in NUL", copies);
	test("an array keeps its elements while it grows", grows);
	test("the tool exits with 1 when memory is out", exits);
	test("spans are equal by bytes, NUL among them", spans);
	test("a span is trimmed at both ends", trims);
	return tap_end();
}
