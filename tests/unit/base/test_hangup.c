/* SPDX-License-Identifier: MIT */
#include "base/hangup.c"

#include "tap.h"

static volatile sig_atomic_t n_taken;

static void
count(int number)
{
	n_taken += number == SIGHUP;
}

static void
is_taken(void)
{
	(void)signal(SIGHUP, SIG_DFL);
	CHECK(!hangup_is_ignored());
	hangup_take(count);
	(void)raise(SIGHUP);
	CHECK(n_taken == 1);
	CHECK(!hangup_is_ignored());
}

static void
stays_ignored(void)
{
	(void)signal(SIGHUP, SIG_IGN);
	n_taken = 0;
	hangup_take(count);
	(void)raise(SIGHUP);
	CHECK(n_taken == 0);
	CHECK(hangup_is_ignored());
}

static void
counts_once(void)
{
	CHECK(hangup_counts_as(SIGHUP, false) == SIGINT);
	CHECK(hangup_counts_as(SIGHUP, true) == 0);
}

static void
others_count(void)
{
	CHECK(hangup_counts_as(SIGINT, false) == SIGINT);
	CHECK(hangup_counts_as(SIGINT, true) == SIGINT);
	CHECK(hangup_counts_as(SIGTERM, false) == SIGTERM);
	CHECK(hangup_counts_as(SIGTERM, true) == SIGTERM);
}

int
main(void)
{
	test("the handler is called", is_taken);
	test("what nohup ignores stays ignored", stays_ignored);
	test("a hangup counts as Ctrl-C, unless a signal came before",
	    counts_once);
	test("each other signal counts as itself", others_count);
	return tap_end();
}
