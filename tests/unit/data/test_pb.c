/* SPDX-License-Identifier: MIT */
#define PB_FIRST 2
#include "data/pb.c"

#include "tap.h"

static void
test_known_message(void)
{
	static const char want[] = "\x08\x96\x01" "\x12\x02hi"
	    "\x1a\x03\x01\x80\x01" "\x21\x00\x00\x00\x00\x00\x80\x46\x40";
	struct pb_out o = { 0 };
	size_t since;

	pb_put_double(&o, 4, 45);
	since = o.n;
	pb_put_packed(&o, 128);
	pb_put_packed(&o, 1);
	pb_put_message(&o, 3, since);
	pb_put_bytes(&o, 2, SPAN("hi"));
	pb_put_varint(&o, 1, 150);
	CHECK(span_equal(pb_whole(&o), (struct span){ want,
	    sizeof(want) - 1 }));
	pb_release(&o);
	CHECK(pb_whole(&o).n == 0);
}

static void
test_reads_back(void)
{
	static const char bytes[] = "\x08\x96\x01" "\x12\x02hi"
	    "\x1a\x03\x01\x80\x01" "\x21\x00\x00\x00\x00\x00\x80\x46\x40"
	    "\x2d\x01\x02\x03\x04";
	struct pb r = pb_of((struct span){ bytes, sizeof(bytes) - 1 }), in;
	struct pb_field f;
	uint64_t v = 0;

	CHECK(pb_next(&r, &f) && f.number == 1 && pb_uint32(&r, &f) == 150);
	CHECK(pb_next(&r, &f) && f.number == 2);
	CHECK_SPAN(pb_bytes(&r, &f), "hi");
	CHECK(pb_next(&r, &f) && f.number == 3);
	in = pb_of(pb_bytes(&r, &f));
	CHECK(pb_next_packed(&in, &v) && v == 1);
	CHECK(pb_next_packed(&in, &v) && v == 128);
	CHECK(!pb_next_packed(&in, &v) && in.error == NULL);
	CHECK(pb_next(&r, &f) && f.number == 4 && pb_double(&r, &f) == 45);
	CHECK(pb_next(&r, &f) && f.number == 5 && f.value == 0x04030201);
	CHECK(!pb_next(&r, &f) && r.error == NULL);
}

/* Whatever the cut, no byte behind it is looked at (the copy is exact, which
 * the address sanitizer sees), and either fields or an error come out. */
static void
test_each_cut(void)
{
	static const char bytes[] = "\x08\x96\x01" "\x12\x02hi"
	    "\x21\x00\x00\x00\x00\x00\x80\x46\x40" "\x2d\x01\x02\x03\x04";
	static const size_t whole[] = { 0, 3, 7, 16, 21 };
	struct pb_field f;
	size_t cut, i;
	char *copy;
	struct pb r;
	bool is_whole;

	for (cut = 0; cut < sizeof(bytes); cut++) {
		copy = xmalloc(cut);
		memcpy(copy, bytes, cut);
		r = pb_of((struct span){ copy, cut });
		while (pb_next(&r, &f))
			;
		for (is_whole = false, i = 0; i < 5; i++)
			is_whole |= whole[i] == cut;
		CHECK((r.error == NULL) == is_whole);
		free(copy);
	}
}

static void
test_refuses(void)
{
	static const struct span rows[] = {
		SPAN("\x00\x01"),			/* field 0 */
		SPAN("\x0b\x0c"),			/* a group */
		SPAN("\x0f\x0c"),			/* wire type 7 */
		SPAN("\x12\xff\xff\xff\xff\x0f"),	/* 4 GiB of text */
		SPAN("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		SPAN("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01"),
	};
	struct pb_field f;
	struct pb r;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		r = pb_of(rows[i]);
		CHECK(!pb_next(&r, &f) && r.error != NULL);
		CHECK(!pb_next(&r, &f));
	}
}

static void
test_wrong_types(void)
{
	struct pb r = pb_of(SPAN("\x08\x01"));
	struct pb_field f;

	CHECK(pb_next(&r, &f) && pb_bytes(&r, &f).n == 0 && r.error != NULL);
	r = pb_of(SPAN("\x08\x01"));
	CHECK(pb_next(&r, &f) && pb_double(&r, &f) == 0 && r.error != NULL);
	r = pb_of(SPAN("\x12\x01z"));
	CHECK(pb_next(&r, &f) && pb_varint(&r, &f) == 0 && r.error != NULL);
	r = pb_of(SPAN("\x08\x80\x80\x80\x80\x10"));
	CHECK(pb_next(&r, &f) && pb_uint32(&r, &f) == 0 && r.error != NULL);
}

int
main(void)
{
	test("a message of each kind of field has the known bytes",
	    test_known_message);
	test("fields come back as they were written", test_reads_back);
	test("a message cut anywhere is read up to there, or refused",
	    test_each_cut);
	test("lengths past the end and unknown kinds are refused",
	    test_refuses);
	test("a field of another type than asked for is an error",
	    test_wrong_types);
	return tap_end();
}
