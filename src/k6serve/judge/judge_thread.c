/* SPDX-License-Identifier: MIT */
/* The thread that judges runs while they go on. */
#include "k6serve/judge/judge_thread.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/thread.h"
#include "k6serve/judge/judge_run.h"
#include "k6serve/store/store_lease.h"

enum { JUDGE_EVERY_MS = 2000 };

struct judge_thread {
	struct store *store;		/* the thread's */
	struct writer *writer;
	struct judged judged;		/* the thread's, but while it waits the
					   writer's */
	struct thread_turns turns;
};

/* On the writer's thread. A failure is that of a full disk: the run is still
 * unjudged, and will be looked at again. */
static void
write_verdicts(void *ctx, struct store *s)
{
	struct judge_thread *t = ctx;
	struct why why;

	if (store_lease_check(s, &why) > 0)
		(void)judged_put(s, &t->judged, &why);
}

static void
judge_changed(struct judge_thread *t)
{
	struct why why;
	int64_t run = 0;
	int status;

	while (writer_has_lease(t->writer) &&
	    (run = store_unjudged(t->store, run, &why)) > 0) {
		status = judge_run(t->store, run, &t->judged, &why);
		if (status > 0)
			writer_do(t->writer, write_verdicts, t);
		judged_release(&t->judged);
	}
}

static void *
judge_main(void *ctx)
{
	struct judge_thread *t = ctx;

	do
		judge_changed(t);
	while (thread_turns_wait(&t->turns, JUDGE_EVERY_MS));
	return NULL;
}

struct judge_thread *
judge_thread_start(struct store *store, struct writer *writer,
    struct why *why)
{
	struct judge_thread *t = xcalloc(1, sizeof(*t));

	t->store = store;
	t->writer = writer;
	if (thread_turns_start(&t->turns, judge_main, t, why) == 0)
		return t;
	free(t);
	return NULL;
}

void
judge_thread_stop(struct judge_thread *t)
{
	if (t != NULL)
		thread_turns_stop(&t->turns);
	free(t);
}
