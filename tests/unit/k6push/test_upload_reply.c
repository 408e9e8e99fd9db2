/* SPDX-License-Identifier: MIT */
/* What becomes of a batch by the server's answer: acknowledged or lost. */
#include "k6push/send/upload_reply.c"

#include "k6push/upload_fixture.h"

static void
refusal(void)
{
	int i;

	begin();
	(void)add(2);
	(void)add(3);
	uploader_start(u);
	answer(0, 400, "{\"error\":{\"message\":\"no\"}}");
	uploader_start(u);
	answer(1, 200, "");
	CHECK(u->splits == 1 && u->lost.points == 0);
	for (i = 2; i < 4; i++) {	/* and so are its parts */
		uploader_start(u);
		CHECK_TEXT(sent[i].count, "1");
		answer(i, 400, "{\"error\":{\"message\":\"no\"}}");
	}
	CHECK(uploader_is_idle(u) && u->untold_refusals == 1);
	CHECK(u->acked.points == 3 && u->lost.points == 2);
}

static void
stop(void)
{
	begin();
	(void)add(2);
	(void)add(2);
	uploader_start(u);
	answer(0, 403, "{\"error\":{\"code\":4,\"message\":\"full\"}}");
	CHECK(u->is_stopped && uploader_is_idle(u));
	uploader_start(u);
	CHECK(n_sent == 1 && uploader_next_ns(u) == INT64_MAX);
	CHECK(batches_amount(&u->waiting, false).points == 4);
	CHECK(u->acked.points == 0);
}

static void
tests(void)
{
	test("what is refused is counted, and the rest goes on", refusal);
	test("after a stop nothing is sent and nothing is forgotten", stop);
}

int
main(void)
{
	return upload_tests(tests);
}
