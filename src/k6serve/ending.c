/* SPDX-License-Identifier: MIT */
/* A thread that abandons the database when the time for ending is over. */
#include "k6serve/ending.h"

#include "base/die.h"

enum { END_MS = 10000 };

static void *
ending_main(void *ctx)
{
	struct ending *e = ctx;
	size_t i;

	if (!thread_turns_wait(&e->turns, END_MS))
		return NULL;
	warnf("the database does not answer: ending without it after %d "
	    "s; what it did not confirm was not acknowledged", END_MS / 1000);
	for (i = 0; i < sizeof(e->stores) / sizeof(e->stores[0]); i++)
		if (e->stores[i] != NULL)
			store_abandon(e->stores[i]);
	if (e->readers != NULL)
		readers_abandon(e->readers);
	return NULL;
}

void
ending_start(struct ending *e)
{
	struct why why;

	if (e->stores[0] == NULL)
		return;
	e->is_running = thread_turns_start(&e->turns, ending_main, e, &why) ==
	    0;
	if (!e->is_running)
		warnf("%s", why.text);
}

void
ending_stop(struct ending *e)
{
	if (e->is_running)
		thread_turns_stop(&e->turns);
	e->is_running = false;
}
