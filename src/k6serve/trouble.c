/* SPDX-License-Identifier: MIT */
/* Says that the database fails, and that it works again. */
#include "k6serve/trouble.h"

#include <inttypes.h>
#include <string.h>

#include "base/die.h"
#include "base/units.h"

/* When it is told. */
struct rule {
	int64_t first_ns;	/* of failures, before they are told */
	int64_t other_ns;	/* between two causes that are told */
	int64_t again_ns;	/* between two times that one is told */
	int64_t over_ns;	/* without a failure, before it is over */
};

static const struct rule of_requests = { 0, 10 * NS_PER_S, 60 * NS_PER_S,
	10 * NS_PER_S };
static const struct rule of_work = { 10 * NS_PER_S, INT64_MAX, INT64_MAX, 0 };

static bool
is_due(const struct trouble *t, const struct rule *rule,
    const struct why *cause, int64_t now_ns)
{
	int64_t age_ns = now_ns - t->told_ns;

	if (!t->is_told)
		return now_ns - t->since_ns >= rule->first_ns;
	return age_ns >= rule->again_ns || (age_ns >= rule->other_ns &&
	    strcmp(t->cause.text, cause->text) != 0);
}

/* It failed: is that to be told now? */
static bool
must_tell(struct trouble *t, const struct rule *rule, const struct why *cause,
    int64_t now_ns)
{
	if (t->n++ == 0)
		t->since_ns = now_ns;
	t->failed_ns = now_ns;
	if (!is_due(t, rule, cause, now_ns))
		return false;
	t->is_told = true;
	t->told_ns = now_ns;
	t->cause = *cause;
	return true;
}

/* It worked: the number of failures, if it is to be told that they are over;
 * or 0. */
static uint64_t
end(struct trouble *t, const struct rule *rule, int64_t now_ns)
{
	uint64_t n = t->is_told ? t->n : 0;

	if (t->n == 0 || now_ns - t->failed_ns < rule->over_ns)
		return 0;
	t->n = 0;
	t->is_told = false;
	return n;
}

void
trouble_refuse(struct trouble *t, const char *kind, const char *cause,
    int status, int64_t now_ns)
{
	struct why why;

	(void)why_set(&why, "%s", cause[0] != '\0' ? cause :
	    "no connection to it");
	if (must_tell(t, &of_requests, &why, now_ns))
		warnf("the database: %s: %s get %d", why.text, kind, status);
}

void
trouble_answer(struct trouble *t, const char *kind, int64_t now_ns)
{
	uint64_t n = end(t, &of_requests, now_ns);

	if (n != 0)
		warnf("the database: %s are answered again; %" PRIu64
		    " failed", kind, n);
}

void
trouble_work(struct trouble *t, const char *what, int status,
    const struct why *why, int64_t now_ns)
{
	if (status < 0 && must_tell(t, &of_work, why, now_ns))
		warnf("%s waits for the database: %s", what, why->text);
	if (status >= 0 && end(t, &of_work, now_ns) != 0)
		warnf("%s goes on", what);
}
