/* SPDX-License-Identifier: MIT */
/* The store with a real database: runs whose end is to be told to a URL. */
#include "k6serve/store/store_hook.h"

#include "k6serve/store/store_run.h"
#include "k6serve/store_runs_fixture.h"

/* A run that ended so. */
static int64_t
ended(struct store *s, int run_status)
{
	struct store_run end = { .results = SPAN("{}"),
	    .run_status = run_status };
	struct why why;

	end.id = new_run(s, SPAN(""));
	CHECK(store_run_end(s, ANY, &end, &why) == STORE_DONE);
	return end.id;
}

static void
told_once(void)
{
	struct store *s = open_new();
	struct store_hook first, second, next;
	struct why why;

	(void)ended(s, RUN_FINISHED);	/* before anybody wants to know */
	store_hook_keep(s);
	CHECK(store_hook_next(s, 0, &first, &why) == 0);
	(void)new_run(s, SPAN(""));	/* it goes on */
	(void)ended(s, RUN_FINISHED);
	(void)ended(s, RUN_ABORTED_BY_USER);
	CHECK(store_hook_next(s, 0, &first, &why) == 1);
	CHECK(first.run == 3 && first.run_status == RUN_FINISHED);
	CHECK(store_hook_next(s, first.run, &second, &why) == 1);
	CHECK(second.run == 4 && second.run_status == RUN_ABORTED_BY_USER);
	CHECK(strlen(first.id) == 32 && strcmp(first.id, second.id) != 0);
	/* Until it is done it is due, as the same delivery. */
	CHECK(store_hook_next(s, 0, &next, &why) == 1 &&
	    next.run == first.run);
	CHECK_TEXT(next.id, first.id);
	CHECK(store_hook_done(s, &first, &why) == STORE_DONE);
	CHECK(store_hook_next(s, 0, &next, &why) == 1 && next.run == 4);
	CHECK(store_hook_done(s, &second, &why) == STORE_DONE);
	CHECK(store_hook_next(s, 0, &next, &why) == 0);
	close_and_remove(s);
}

int
main(void)
{
	test("the end of each run is due until it is told, once", told_once);
	return tap_end();
}
