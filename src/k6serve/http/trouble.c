/* SPDX-License-Identifier: MIT */
/* Prints what is wrong with the database, at most every few seconds. */
#include "k6serve/http/trouble.h"

#include <string.h>

#include "base/die.h"
#include "base/units.h"

enum {
	OTHER_S = 10,		/* between two causes that are told */
	AGAIN_S = 60,		/* between two times that one is told */
	OVER_S = 10,		/* without a failure; some may come in turn */
};

static bool
is_due(const struct trouble *t, const char *cause, int64_t now_ns)
{
	int64_t age_s = (now_ns - t->told_ns) / NS_PER_S;

	return t->n == 0 || age_s >= AGAIN_S || (age_s >= OTHER_S &&
	    strcmp(t->cause.text, cause) != 0);
}

void
trouble_note(struct trouble *t, const char *kind, const char *cause,
    int status, int64_t now_ns)
{
	struct why why;

	(void)why_set(&why, "%s", cause[0] != '\0' ? cause :
	    "no connection to it");
	if (is_due(t, why.text, now_ns)) {
		warnf("the database: %s: %s get %d", why.text, kind, status);
		t->cause = why;
		t->told_ns = now_ns;
	}
	t->failed_ns = now_ns;
	t->n++;
}

void
trouble_pass(struct trouble *t, const char *kind, int64_t now_ns)
{
	if (t->n == 0 || now_ns - t->failed_ns < OVER_S * NS_PER_S)
		return;
	warnf("the database: %s are answered again; %llu failed", kind,
	    (unsigned long long)t->n);
	t->n = 0;
}
