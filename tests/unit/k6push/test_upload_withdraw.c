/* SPDX-License-Identifier: MIT */
/* A batch that may have arrived is asked for by its key before it is split. */
#include "k6push/send/upload_withdraw.c"

#include "base/units.h"
#include "k6push/upload_fixture.h"

/* A batch of two, of which a try is lost and the next is too large. */
static void
lose_an_answer(void)
{
	begin();
	u->cannot_withdraw = false;
	(void)add(2);
	uploader_start(u);
	step(0);
	CHECK(n_sent == 2);
	answer(1, 413, "");
	CHECK(n_sent == 3 && u->splits == 0 && u->waiting.n == 1);
	CHECK_TEXT(sent[2].url, "http://x/v1/metrics/7/withdraw");
	CHECK_TEXT(sent[2].key, sent[0].key);
	uploader_start(u);
	CHECK(n_sent == 3);		/* it is not sent meanwhile */
}

static void
not_split_if_stored(void)
{
	lose_an_answer();
	answer(2, 200, "{\"stored\":true}");
	CHECK(uploader_is_idle(u) && u->splits == 0 && u->acked.points == 2);

	lose_an_answer();
	answer(2, 200, "{\"stored\":false}");
	CHECK(u->splits == 1 && u->waiting.n == 2);
	u->retry_at_ns = 0;
	uploader_start(u);
	step(200);
	step(200);
	CHECK(uploader_is_idle(u) && n_sent == 5 && u->acked.points == 2);
}

/* Its turn is now. */
static void
wait_out(void)
{
	struct batch *p;

	u->retry_at_ns = 0;
	for (p = u->waiting.first; p != NULL; p = p->next)
		p->not_before_ns = 0;
}

#define API_ERROR "{\"error\":{\"message\":\"no\"}}"

/* What is no answer of the API says nothing: the batch is sent again as a
 * whole, and asked for again, however often that goes on. */
static void
not_split_without_an_answer(void)
{
	static const struct { int status; const char *body; } odd[] = {
		{ 404, "<html>no backend</html>" }, { 403, "<html></html>" },
		{ 400, "<html></html>" }, { 413, "{}" }, { 200, "{}" },
		{ 200, "" }, { 404, "" }, { 404, "{\"error\":\"no\"}" },
		{ 200, "<html></html>" }, { 200, "{\"stored\":1}" },
		{ 200, "{\"stored\":true" }, { 409, "{}" }, { 503, API_ERROR },
		{ 500, "" }, { 501, "" }, { 0, "" }, { 429, API_ERROR },
		{ 401, API_ERROR }, { 302, "" },
	};
	size_t i, n = sizeof(odd) / sizeof(odd[0]);

	lose_an_answer();
	for (i = 0; i < n; i++) {
		answer(n_sent - 1, odd[i].status, odd[i].body);
		CHECK(u->splits == 0 && u->waiting.n == 1);
		CHECK(uploader_next_ns(u) > now_monotonic_ns());
		wait_out();
		uploader_start(u);		/* the whole again */
		CHECK_TEXT(sent[n_sent - 1].url, "http://x/v1/metrics/7");
		CHECK_TEXT(sent[n_sent - 1].key, sent[0].key);
		answer(n_sent - 1, 413, "");
		CHECK_TEXT(sent[n_sent - 1].url,
		    "http://x/v1/metrics/7/withdraw");
	}
	answer(n_sent - 1, 200, "{\"stored\":true}");
	CHECK(uploader_is_idle(u) && u->splits == 0 && u->acked.points == 2);
}

/* While its withdrawal is not answered, others go on. */
static void
others_go_on(void)
{
	lose_an_answer();
	(void)add(3);
	answer(2, 404, "<html></html>");
	uploader_start(u);
	CHECK_TEXT(sent[3].count, "3");
	answer(3, 200, "");
	CHECK(u->acked.points == 3 && u->waiting.n == 1 && u->splits == 0);
}

static void
a_server_that_knows_no_keys(void)
{
	static const int unknown[] = { 404, 405, 501, 400 };
	size_t i;

	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		lose_an_answer();
		answer(2, unknown[i], API_ERROR);
		CHECK(u->splits == 1 && u->waiting.n == 2);
	}
	/* It is not asked again. */
	u->retry_at_ns = 0;
	(void)add(2);
	uploader_start(u);
	step(200);
	step(200);
	step(0);
	answer(n_sent - 1, 413, "");
	CHECK(u->splits == 2);
}

/* One that has answered knows them. */
static void
a_server_that_has_answered(void)
{
	lose_an_answer();
	answer(2, 200, "{\"stored\":true}");
	(void)add(2);
	uploader_start(u);
	step(0);
	answer(n_sent - 1, 413, "");
	answer(n_sent - 1, 404, API_ERROR);
	CHECK(u->splits == 0 && u->waiting.n == 1 && !u->cannot_withdraw);
}

static void
tests(void)
{
	test("of which a try may have arrived is asked for before it is split",
	    not_split_if_stored);
	test("without an answer of the API to that it is not split",
	    not_split_without_an_answer);
	test("meanwhile others go on", others_go_on);
	test("a server that knows no such call is asked once",
	    a_server_that_knows_no_keys);
	test("a server that has once answered that is not said to be unable",
	    a_server_that_has_answered);
}

int
main(void)
{
	return upload_tests(tests);
}
