/* SPDX-License-Identifier: MIT */
/* What becomes of a batch that is too large. */
#include "k6push/wire/wire.h"

static const struct wire *busy_wire_of(uint8_t format);
#define wire_of busy_wire_of
#include "k6push/send/upload_split.c"
#undef wire_of

#include "k6push/upload_fixture.h"

static void
too_large(void)
{
	char first[64];

	begin();
	(void)add(5);
	uploader_start(u);
	(void)snprintf(first, sizeof(first), "%s", sent[0].key);
	step(413);		/* 2 and 3 */
	CHECK(u->splits == 1 && u->waiting.n == 2);
	CHECK_TEXT(sent[1].count, "2");
	step(413);		/* 1, 1 and 3 */
	CHECK_TEXT(sent[2].count, "3");
	CHECK(strcmp(sent[1].key, first) != 0 &&
	    strcmp(sent[1].key, sent[2].key) != 0);
	step(200);
	CHECK_TEXT(sent[3].count, "1");
	step(413);		/* a single sample: it is refused */
	step(200);
	CHECK(uploader_is_idle(u));
	CHECK(u->acked.points == 4 && u->lost.points == 1);
}

/* A wire with which, while a batch is being split, the reader begins another:
 * it takes the next number. */
static struct wire busy_wire;
static uint64_t reader_took;

static int
split_while_reading(const struct batch *p, struct span kept,
    struct batch *left, struct batch *right, struct why *why)
{
	reader_took = numbers_take(&numbers, 1);
	return wire_v1.split(p, kept, left, right, why);
}

static const struct wire *
busy_wire_of(uint8_t format)
{
	if (format != wire_v1.format)
		return wire_of(format);
	busy_wire = wire_v1;
	busy_wire.split = split_while_reading;
	return &busy_wire;
}

static void
parts_have_their_own_numbers(void)
{
	const struct batch *p;
	uint64_t before = 0;

	begin();
	(void)add(4);
	uploader_start(u);
	answer(0, 413, "");
	CHECK(reader_took == 2 && u->waiting.n == 2);
	for (p = u->waiting.first; p != NULL; p = p->next) {
		CHECK(p->id.number != reader_took && p->id.number > before);
		before = p->id.number;
	}
	CHECK(numbers_take(&numbers, 1) > before);
}

static void
parts_are_the_same(void)
{
	struct batch *whole, *a, *b;

	begin();
	whole = add(2);
	a = batch_part(whole, 0);
	b = batch_part(whole, 0);
	CHECK(memcmp(a->id.key, b->id.key, JOURNAL_KEY) == 0);
	CHECK(a->id.parent == whole->id.number);
	batch_free(b);
	b = batch_part(whole, 1);
	CHECK(memcmp(a->id.key, b->id.key, JOURNAL_KEY) != 0);
	batch_free(a);
	batch_free(b);
}

static void
tests(void)
{
	test("what is too large is split until it fits, or is one sample",
	    too_large);
	test("what is read during a split has a number of its own",
	    parts_have_their_own_numbers);
	test("the same split gives the same keys", parts_are_the_same);
}

int
main(void)
{
	return upload_tests(tests);
}
