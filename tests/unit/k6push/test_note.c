/* SPDX-License-Identifier: MIT */
#include "k6push/journal/note.c"

#include "tap.h"

static void
there_and_back(void)
{
	struct note n = { .vus = 7, .duration_ns = INT64_C(1) << 60,
	    .run_status = -2, .result_status = 1, .is_borrowed = true,
	    .has_ended = true, .made = 12, .create_key = "0123456789abcdef" };
	struct note got = { 0 };
	struct buf text = { 0 }, again = { 0 };
	struct why why;

	note_set(&n.host, "http://x", 8);
	note_set(&n.name, "a \"quoted\"\n\xc3\xa4", 13);
	note_set(&n.thresholds, "{\"a\":[\"b\"]}", 11);
	note_set(&n.config, "{}", 2);
	note_print(&n, &text);
	CHECK(note_parse(&got, buf_whole(&text), &why) == 0);
	note_print(&got, &again);
	CHECK_BUF(again, text.p);
	CHECK_TEXT(got.name, n.name);
	CHECK_TEXT(got.thresholds, "{\"a\":[\"b\"]}");
	CHECK(got.duration_ns == n.duration_ns && got.run_status == -2);
	CHECK(got.is_borrowed && got.has_ended && got.run == NULL);
	note_set(&got.name, NULL, 0);
	CHECK(got.name == NULL);
	note_release(&n);
	note_release(&got);
	buf_release(&text);
	buf_release(&again);
}

static void
strange(void)
{
	struct note n = { 0 };
	struct why why;

	CHECK(note_parse(&n, SPAN(""), &why) == -1);
	CHECK(note_parse(&n, SPAN("{"), &why) == -1);
	CHECK(note_parse(&n, SPAN("{}"), &why) == -1);
	CHECK(note_parse(&n, SPAN("{\"version\":2}"), &why) == -1);
	CHECK(strstr(why.text, "later version") != NULL);
	CHECK(note_parse(&n, SPAN("{\"version\":1,\"new\":[1],\"vus\":3,"
	    "\"host\":{},\"create_key\":\"" "0123456789abcdefgh\","
	    "\"thresholds\":5}"), &why) == 0);
	CHECK(n.vus == 0 && n.host == NULL && n.thresholds == NULL);
	CHECK_TEXT(n.create_key, "0123456789abcdef");
	note_release(&n);
}

int
main(void)
{
	test("a note comes back as it was", there_and_back);
	test("what is no note is refused, what is new is passed over",
	    strange);
	return tap_end();
}
