/* SPDX-License-Identifier: MIT */
/*
 * Finds out whether a commit whose answer was lost took place. Its changes may
 * have no key of their own, so it stores a mark, by which that is found.
 */
#include <time.h>

#include "base/random.h"
#include "base/units.h"
#include "k6serve/store/store_priv.h"

enum {
	FIND_MS = 10000,	/* for how long a server is waited for */
	PAUSE_MS = 100,
};

int
store_mark_put(struct store *s, struct why *why)
{
	const char *text = s->engine->texts[ENGINE_MARK];
	struct store_stmt p;

	if (text == NULL)
		return 0;
	if (s->mark.session[0] == '\0')
		random_hex(s->mark.session, sizeof(s->mark.session) / 2);
	p = store_prepare(s, text, why);
	if (p.sql == NULL)
		return -1;
	store_bind_text(&p, span_of(s->mark.session));
	store_bind_int(&p, ++s->mark.n);
	return store_run_sql(&p, why);
}

/* 1: it took place; 0: it did not; -1: the server cannot be asked. */
static int
find(struct store *s)
{
	struct store_stmt p = store_prepare(s,
	    s->engine->texts[ENGINE_MARKED], NULL);
	int64_t n;

	if (p.sql == NULL)
		return -1;
	store_bind_text(&p, span_of(s->mark.session));
	n = store_one_int(&p, NULL);
	return n < 0 ? -1 : n == s->mark.n;
}

int
store_mark_find(struct store *s, struct why *why)
{
	static const struct timespec pause = { 0, PAUSE_MS * NS_PER_MS };
	int64_t until_ns = now_monotonic_ns() + FIND_MS * NS_PER_MS;
	int found;

	if (s->engine->texts[ENGINE_MARK] == NULL ||
	    store_failure(s) != STORE_BUSY)
		return -1;
	store_rollback(s);
	while ((found = find(s)) < 0 && now_monotonic_ns() < until_ns &&
	    !s->is_abandoned)
		(void)nanosleep(&pause, NULL);
	s->mark.is_cut = found <= 0;
	s->mark.is_doubtful = found < 0;
	return found > 0 ? 0 : why_set(why, found < 0 ? "the database went "
	    "away during the commit" : "the commit was cut off");
}

void
store_marks_trim(struct store *s)
{
	const char *text = s->engine->texts[ENGINE_MARKS_TRIM];
	struct store_stmt p;
	struct why why;

	if (text == NULL)
		return;
	p = store_prepare(s, text, &why);
	(void)store_run_sql(&p, &why);
}
