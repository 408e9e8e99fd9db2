/* SPDX-License-Identifier: MIT */
/* In what order and how often batches are sent, and in which form. */
#include "k6push/send/upload.c"

#include <unistd.h>

#include "io/gz.h"
#include "k6push/upload_fixture.h"

static void
in_order(void)
{
	begin();
	(void)add(2);
	(void)add(1);
	uploader_start(u);
	CHECK(n_sent == 1 && u->in_flight == 1);	/* one at a time */
	CHECK_TEXT(sent[0].count, "2");
	CHECK(sent[0].body[0] == '[' && sent[0].body[sent[0].n - 1] == ']');
	CHECK(packer_loose_bytes(packer) > 0);
	answer(0, 200, "");
	uploader_start(u);
	answer(1, 409, "{}");		/* the server has the key */
	CHECK(uploader_is_idle(u) && u->acked.points == 3);
	CHECK(u->acked.requests == 3 && u->resent == 0);
	CHECK(packer_loose_bytes(packer) == 0);
	CHECK(strcmp(sent[0].key, sent[1].key) != 0);
	CHECK(strlen(sent[0].key) == 16 && strspn(sent[0].key,
	    "0123456789abcdef") == 16);
}

static void
retries(void)
{
	begin();
	(void)add(2);
	uploader_start(u);
	CHECK(!sent[0].is_retry);
	answer(0, 503, "");
	CHECK(u->failures == 1 && uploader_next_ns(u) > 0);
	CHECK(u->outages.n == 1);
	uploader_start(u);
	CHECK(n_sent == 1);		/* it is not yet time */
	u->retry_at_ns = 0;
	uploader_start(u);
	CHECK(n_sent == 2 && u->resent == 1 && sent[1].is_retry);
	CHECK_TEXT(sent[1].key, sent[0].key);
	CHECK(sent[1].n == sent[0].n &&
	    memcmp(sent[1].body, sent[0].body, sent[0].n) == 0);
	answer(1, 200, "");
	CHECK(u->failures == 0 && u->acked.points == 2);
	CHECK(uploader_is_idle(u) && u->outages.longest_ns > 0);
}

static void
compressed(void)
{
	struct buf out = { 0 };
	struct why why;

	begin();
	settings_release(&settings);
	settings_init(&settings);
	(void)add(2);
	uploader_start(u);
	CHECK(sent[0].is_gzip);
	CHECK(gz_inflate((struct span){ sent[0].body, sent[0].n }, 4096,
	    &out, &why) == 0);
	CHECK(out.n > 2 && out.p[0] == '[' && out.p[out.n - 1] == ']');
	answer(0, 200, "");
	buf_release(&out);
}

static void
several(void)
{
	int i;

	begin();
	(void)settings_set(&settings, SET_PUSH_CONCURRENCY, "3", FROM_FLAG,
	    NULL);
	for (i = 0; i < 5; i++)
		(void)add(1);
	uploader_start(u);
	CHECK(n_sent == 3 && u->in_flight == 3);
	answer(1, 200, "");
	answer(0, 500, "");
	u->retry_at_ns = 0;
	uploader_start(u);		/* 2 is under way: that is enough */
	CHECK(n_sent == 3);
	answer(2, 200, "");
	uploader_start(u);
	CHECK(n_sent > 3);
	CHECK_TEXT(sent[3].key, sent[0].key);
}

static void
newest_first(void)
{
	char keys[20][17] = { "" };
	int i, newest = 0;

	begin();
	for (i = 0; i < 10; i++)
		(void)snprintf(keys[i], sizeof(keys[i]), "%.16s",
		    add(1)->id.key);
	uploader_start(u);
	CHECK_TEXT(sent[0].key, keys[0]);
	step(503);
	CHECK_TEXT(sent[1].key, keys[9]);	/* the newest, to see */
	step(0);
	CHECK_TEXT(sent[2].key, keys[9]);
	step(200);
	/* The backlog in order, and what is newest now and then. */
	for (i = 3; i < 8; i++) {
		(void)snprintf(keys[i + 7], sizeof(keys[0]), "%.16s",
		    add(1)->id.key);
		newest += strcmp(sent[i].key, keys[0]) != 0 &&
		    strcmp(sent[i].key, keys[1]) != 0 &&
		    strcmp(sent[i].key, keys[2]) != 0 &&
		    strcmp(sent[i].key, keys[3]) != 0;
		step(200);
	}
	CHECK(newest == 1);
	while (u->waiting.n > 0)
		step(200);
	CHECK(u->acked.points == 15 && !u->is_catching_up);
	CHECK(sent[0].n > 0);
}

static void
heartbeat(void)
{
	begin();
	uploader_beat(u, 0);
	CHECK(n_sent == 0);
	u->acked_ns = now_monotonic_ns();
	uploader_beat(u, NS_PER_S * 30);
	CHECK(n_sent == 0);		/* it heard of us just now */
	u->acked_ns = now_monotonic_ns() - NS_PER_S * 31;
	uploader_beat(u, NS_PER_S * 30);
	CHECK(n_sent == 1 && sent[0].n == 2);
	CHECK_TEXT(sent[0].count, "0");
	uploader_beat(u, NS_PER_S * 30);
	CHECK(n_sent == 1);
	answer(0, 500, "");		/* no harm */
	CHECK(uploader_is_idle(u) && u->failures == 0);
}

static void
left_under_way(void)
{
	begin();
	(void)add(1);
	uploader_start(u);
	CHECK(u->in_flight == 1);
	uploader_free(u);	/* AddressSanitizer looks at what is left */
	u = NULL;
}

static void
tests(void)
{
	test("batches go in order, each with its own key", in_order);
	test("what failed is sent again, with the same key and bytes",
	    retries);
	test("bodies are gzip unless that is off", compressed);
	test("as many requests as allowed run at a time", several);
	test("after an outage the newest goes first, then the backlog",
	    newest_first);
	test("a silent run is told of, but not often", heartbeat);
	test("requests under way are let go at the end", left_under_way);
}

int
main(void)
{
	return upload_tests(tests);
}
