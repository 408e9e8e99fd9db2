/* SPDX-License-Identifier: MIT */
#include "k6serve/trouble.c"

#include <errno.h>

#include "child.h"
#include "tap.h"

static char got[4096];

/* What was told, each line without the program's name. */
static const char *
told(void (*run)(void))
{
	size_t n = strlen(program_invocation_short_name) + 2;
	char *from, *to = got;

	CHECK(child(run, got, sizeof(got)) == 0);
	for (from = got; *from != '\0'; from++) {
		if (from == got || from[-1] == '\n')
			from += n;
		*to++ = *from;
	}
	*to = '\0';
	return got;
}

static void
refuse(struct trouble *t, const char *cause, int64_t second)
{
	trouble_refuse(t, "reads", cause, 503, second * NS_PER_S);
}

static void
work(struct trouble *t, int status, const char *cause, int64_t second)
{
	struct why why;

	(void)why_set(&why, "%s", cause);
	trouble_work(t, "the work", status, &why, second * NS_PER_S);
}

static void
refuse_some(void)
{
	struct trouble t = { .n = 0 };
	int64_t s;

	trouble_answer(&t, "reads", 1 * NS_PER_S);
	for (s = 2; s < 30; s++)
		refuse(&t, "locked", s);
	trouble_answer(&t, "reads", 30 * NS_PER_S);	/* too early */
	refuse(&t, "locked", 31);
	trouble_answer(&t, "reads", 41 * NS_PER_S);
	trouble_answer(&t, "reads", 42 * NS_PER_S);
	refuse(&t, "", 43);
}

static void
requests(void)
{
	CHECK_TEXT(told(refuse_some), "the database: locked: reads get 503\n"
	    "the database: reads are answered again; 29 failed\n"
	    "the database: no connection to it: reads get 503\n");
}

static void
refuse_for_two_causes(void)
{
	struct trouble t = { .n = 0 };

	refuse(&t, "locked", 1);
	refuse(&t, "full", 10);		/* too early */
	refuse(&t, "full", 11);
	refuse(&t, "full", 70);
	refuse(&t, "full", 71);
}

static void
causes(void)
{
	CHECK_TEXT(told(refuse_for_two_causes),
	    "the database: locked: reads get 503\n"
	    "the database: full: reads get 503\n"
	    "the database: full: reads get 503\n");
}

static void
work_fails(void)
{
	struct trouble t = { .n = 0 };
	int64_t s;

	work(&t, 0, "", 1);
	for (s = 2; s < 500; s++)
		work(&t, -1, s % 2 == 0 ? "locked" : "full", s);
	work(&t, 0, "", 500);
	work(&t, 0, "", 501);
}

static void
work_is_told_once(void)
{
	CHECK_TEXT(told(work_fails), "the work waits for the database: "
	    "locked\nthe work goes on\n");
}

static void
work_fails_now_and_then(void)
{
	struct trouble t = { .n = 0 };
	int64_t s;

	for (s = 1; s < 100; s++)
		work(&t, s % 10 == 0 ? 0 : -1, "locked", s);
}

static void
short_failures(void)
{
	CHECK_TEXT(told(work_fails_now_and_then), "");
}

int
main(void)
{
	test("requests: the first failure is told, and the end after 10 s",
	    requests);
	test("another cause is told after 10 s, the same after a minute",
	    causes);
	test("work that fails for 10 s is told once, and that it goes on",
	    work_is_told_once);
	test("work that fails for less is not told", short_failures);
	return tap_end();
}
