/* SPDX-License-Identifier: MIT */
/*
 * tap: what a unit test prints (Test Anything Protocol). A test is a sentence
 * and a function; a check that fails says where, and the function goes on.
 */
#ifndef K6PIPE_TESTS_TAP_H
#define K6PIPE_TESTS_TAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static int tap_tests, tap_failed;
static bool tap_is_good;

static inline void
tap_check(bool claim, const char *file, int line, const char *text)
{
	if (!claim)
		printf("# %s:%d: not so: %s\n", file, line, text);
	tap_is_good = tap_is_good && claim;
}

static inline void
tap_same(struct span got, struct span want, const char *file, int line)
{
	bool is_same = span_equal(got, want);

	if (!is_same)
		printf("# %s:%d: got  \"%.*s\"\n# %s:%d: want \"%.*s\"\n",
		    file, line, (int)got.n, got.p, file, line, (int)want.n,
		    want.p);
	tap_is_good = tap_is_good && is_same;
}

#define CHECK(claim) tap_check((claim), __FILE__, __LINE__, #claim)
#define CHECK_SPAN(got, want) \
	tap_same((got), span_of(want), __FILE__, __LINE__)
#define CHECK_TEXT(got, want) CHECK_SPAN(span_of(got), (want))
#define CHECK_BUF(got, want) CHECK_SPAN(((struct span){ (got).p, (got).n }), \
	(want))

static inline void
test(const char *sentence, void (*run)(void))
{
	tap_is_good = true;
	run();
	tap_failed += !tap_is_good;
	printf("%sok %d - %s\n", tap_is_good ? "" : "not ", ++tap_tests,
	    sentence);
	(void)fflush(stdout);
}

static inline int
tap_end(void)
{
	printf("1..%d\n", tap_tests);
	return tap_failed != 0;
}

#endif
