/* SPDX-License-Identifier: MIT */
#include "k6push/wire/batch.h"

#include <stdio.h>

#include "tap.h"

static void
keys(void)
{
	char a[KEY_TEXT], b[KEY_TEXT];

	idempotency_key(a);
	idempotency_key(b);
	CHECK(strlen(a) == 16 && strspn(a, "0123456789abcdef") == 16);
	CHECK(strcmp(a, b) != 0);
}

static void
parts(void)
{
	struct batch *whole = batch_new(1), *a = batch_part(whole, 0);
	struct batch *b = batch_part(whole, 0), *c = batch_part(whole, 1);

	CHECK(memcmp(a->id.key, b->id.key, JOURNAL_KEY) == 0);
	CHECK(memcmp(a->id.key, c->id.key, JOURNAL_KEY) != 0);
	CHECK(memcmp(a->id.key, whole->id.key, JOURNAL_KEY) != 0);
	CHECK(a->id.parent == 1 && a->id.number == 0);
	batch_free(whole);
	batch_free(a);
	batch_free(b);
	batch_free(c);
}

static void
put(struct batches *list, uint64_t number, size_t bytes)
{
	struct batch *b = batch_new(number);

	b->id.points = number * 10;
	b->id.requests = number;
	b->is_loose = number % 2 == 0;
	(void)buf_room(&b->body, bytes);
	b->body.n = bytes;
	batches_add(list, b);
}

static void
lists(void)
{
	struct batches list = { 0 };
	const struct batch *b;
	uint64_t last = 0;

	put(&list, 5, 10);
	put(&list, 2, 20);
	put(&list, 9, 30);
	put(&list, 4, 40);
	for (b = list.first; b != NULL; b = b->next) {
		CHECK(b->id.number > last);
		last = b->id.number;
	}
	CHECK(list.n == 4 && list.bytes == 100 && list.last->id.number == 9);
	CHECK(batches_amount(&list, false).points == 200);
	CHECK(batches_amount(&list, true).requests == 6);
	batches_set_body(&list, list.first, (struct buf){ 0 });
	CHECK(list.bytes == 80);
	batches_release(&list);
	CHECK(list.first == NULL && list.n == 0);
}

int
main(void)
{
	test("a key is 16 hex digits, another each time", keys);
	test("parts have keys that follow from the whole's", parts);
	test("a list is in the order of numbers, and knows its bytes", lists);
	return tap_end();
}
