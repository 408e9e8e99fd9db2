/* SPDX-License-Identifier: MIT */
/* Batches that were split: which of their parts a load hands out. */
#include "k6push/journal_fixture.h"

static void
parts(void)
{
	struct journal *j = open_new("parts");
	struct journal_found found = { 0 };
	struct journal_place place = put_batch(j, 1, "both");
	struct journal_batch left = batch_of(2), right = batch_of(3);
	struct why why;

	left.parent = right.parent = 1;
	CHECK(journal_add(j, &left, SPAN("bo"), &place, &why) == 0);
	journal_close(j);
	/* The split was not noted: the whole counts, the part does not. */
	j = open_again(&found);
	CHECK(got.n_batches == 1 && got.batch[1].number == 1);
	CHECK(found.damaged_bytes == 0);
	CHECK(found.missing == 0 && found.last == 2);
	left.number = 4;
	right.number = 5;
	CHECK(journal_add(j, &left, SPAN("bo"), &place, &why) == 0);
	CHECK(journal_add(j, &right, SPAN("th"), &place, &why) == 0);
	end_batch(j, 1, JOURNAL_SPLIT, &got.place[1]);
	journal_close(j);
	j = open_again(&found);
	CHECK(got.n_batches == 2 && got.batch[4].number == 4 &&
	    got.batch[5].number == 5 && got.batch[2].number == 0);
	CHECK(found.missing == 0);	/* 3 was given out and not used */
	journal_remove(j);
	journal_close(j);
	buf_release(&found.note);
}

/* What a load says of the parts of the halved batches that it hands out. */
static struct {
	int n_halved;
	uint64_t whole, number[2];
	enum journal_part part[2], below[2];
	char pieces[16];
	struct journal_sum rest;
} halved;

static struct journal_found *loading;

static void
on_halved(void *ctx, const struct journal_batch *b,
    const struct journal_place *place, struct span pieces)
{
	uint64_t number;
	int i;

	(void)ctx;
	halved.n_halved++;
	halved.whole = b->number;
	for (i = 0; i < 2; i++)
		halved.part[i] = journal_part(loading, b->number, i,
		    &halved.number[i]);
	for (i = 0; i < 2 && halved.part[1] == JOURNAL_PART_HALVED; i++)
		halved.below[i] = journal_part(loading, halved.number[1], i,
		    &number);
	CHECK((place->segment == 0) == (pieces.n > 0));
	halved.rest = journal_rest(loading, b->number);
	(void)snprintf(halved.pieces, sizeof(halved.pieces), "%.*s",
	    (int)pieces.n, pieces.p);
}

static struct journal *
open_halved(struct journal_found *found)
{
	struct journal *j = NULL;
	struct why why;

	memset(&got, 0, sizeof(got));
	memset(&halved, 0, sizeof(halved));
	*found = (struct journal_found){ .batch = on_batch,
	    .pieces = on_pieces, .halved = on_halved };
	loading = found;
	CHECK(journal_open(&j, path, JOURNAL_OLD, &options, &why) == 0);
	CHECK(journal_load(j, found, &why) == 0);
	return j;
}

/* Parts of which the disk has no bytes: they are made anew of the whole, but
 * for those that are done with, and the whole never counts again. */
static void
halves_of_a_segment(void)
{
	const struct journal_place none = { 0 };
	struct journal *j = open_new("halves");
	struct journal_found found = { 0 };
	struct journal_place place = put_batch(j, 1, "all");
	struct journal_batch one = batch_of(1), three = batch_of(3);
	struct journal_batch four = batch_of(4);
	struct why why;

	CHECK(journal_halve(j, &one, 2, &why) == 0);
	journal_close(j);
	j = open_halved(&found);
	CHECK(got.n_batches == 0 && halved.n_halved == 1 && halved.whole == 1);
	CHECK(halved.part[0] == JOURNAL_PART_WANTED && halved.number[0] == 2);
	CHECK(halved.part[1] == JOURNAL_PART_WANTED && halved.number[1] == 3);
	CHECK(found.last == 3 && found.missing == 0);
	/* The first is taken, the second halved in turn, and half of it on
	 * disk by itself. */
	end_batch(j, 2, JOURNAL_ACKED, &none);
	CHECK(journal_halve(j, &three, 4, &why) == 0);
	four.parent = 3;
	CHECK(journal_add(j, &four, SPAN("4"), &place, &why) == 0);
	journal_close(j);
	j = open_halved(&found);
	CHECK(got.n_batches == 1 && got.batch[4].number == 4);
	CHECK(halved.n_halved == 1 && halved.part[0] == JOURNAL_PART_NONE &&
	    halved.part[1] == JOURNAL_PART_HALVED);
	CHECK(halved.below[0] == JOURNAL_PART_NONE &&
	    halved.below[1] == JOURNAL_PART_WANTED);
	CHECK(found.last == 5 && found.acked.requests == 8);
	end_batch(j, 5, JOURNAL_ACKED, &none);
	end_batch(j, 4, JOURNAL_ACKED, &got.place[4]);
	journal_close(j);
	j = open_halved(&found);
	CHECK(got.n_batches == 0 && halved.n_halved == 0 &&
	    found.missing == 0);
	CHECK(access(path, F_OK) == 0 && j->segments == NULL);
	journal_remove(j);
	journal_close(j);
}

static struct journal_batch
part_of(uint64_t whole, uint64_t number, uint64_t points)
{
	struct journal_batch b = batch_of(number);

	b.parent = whole;
	b.points = b.requests = points;
	return b;
}

/* What of a halved batch is to be sent: not what its parts have that are done
 * with, on disk themselves, or parts of parts. */
static void
halves_have_a_rest(void)
{
	const struct journal_place none = { 0 };
	struct journal *j = open_new("rest");
	struct journal_found found = { 0 };
	struct journal_batch one = part_of(0, 1, 100), b;
	struct journal_place place;
	struct why why;

	CHECK(journal_add(j, &one, SPAN("all"), &place, &why) == 0);
	journal_made(j, &one);
	CHECK(journal_halve(j, &one, 2, &why) == 0);	/* 40, 60 */
	b = part_of(1, 2, 40);
	CHECK(journal_halve(j, &b, 4, &why) == 0);	/* 15, 25 */
	b = part_of(2, 4, 15);
	journal_done(j, &b, JOURNAL_ACKED, &none);
	journal_close(j);
	j = open_halved(&found);
	CHECK(halved.rest.points == 85 && halved.rest.requests == 85);
	CHECK(found.gone.points == 0);
	b = part_of(1, 3, 60);
	CHECK(journal_add(j, &b, SPAN("3"), &place, &why) == 0);
	journal_made(j, &b);
	journal_close(j);
	j = open_halved(&found);
	CHECK(halved.rest.points == 25 && got.n_batches == 1);
	CHECK(found.gone.points == 0);
	/* The whole is no longer there, and one part has no bytes: */
	journal_close(j);
	CHECK(remove_file("seg.1") == 0);
	j = open_halved(&found);
	CHECK(found.gone.points == 25 && got.n_batches == 1);
	journal_close(j);
	CHECK(remove_file("seg.2") == 0);
	j = open_halved(&found);
	CHECK(found.gone.points == 85 && got.n_batches == 0);
	journal_remove(j);
	journal_close(j);
}

static void
halves_of_pieces(void)
{
	struct journal *j = open_new("halfpieces");
	struct journal_found found = { 0 };
	struct journal_batch one = batch_of(1);
	struct why why;

	CHECK(journal_piece(j, &one, SPAN("al"), &why) == 0);
	CHECK(journal_piece(j, &one, SPAN("l"), &why) == 0);
	CHECK(journal_cut(j, &one, &why) == 0);
	CHECK(journal_halve(j, &one, 2, &why) == 0);
	journal_close(j);
	j = open_halved(&found);
	CHECK(got.n_pieces == 0 && halved.n_halved == 1);
	CHECK_TEXT(halved.pieces, "all");
	journal_remove(j);
	journal_close(j);
}

/* The whole is damaged: what was to be made of it is missing. */
static void
halves_are_missing(void)
{
	struct journal *j = open_new("halfgone");
	struct journal_found found = { 0 };
	struct journal_place place = put_batch(j, 1, "all");
	struct journal_batch one = batch_of(1);
	char file[100];
	struct why why;
	int fd;

	CHECK(journal_halve(j, &one, 2, &why) == 0);
	journal_close(j);
	(void)snprintf(file, sizeof(file), "%s/seg.1", path);
	fd = open(file, O_WRONLY);
	CHECK(pwrite(fd, "X", 1, (off_t)place.offset) == 1);
	(void)close(fd);
	j = open_halved(&found);
	CHECK(halved.n_halved == 0 && found.missing == 1);
	journal_remove(j);
	journal_close(j);
}

int
main(void)
{
	if (!journals_begin())
		return 1;
	test("parts of a halved batch are made anew, if they are not done",
	    halves_of_a_segment);
	test("of a halved batch the list has what its parts do not",
	    halves_have_a_rest);
	test("a batch of pieces is halved like another", halves_of_pieces);
	test("of a halved batch that is damaged the parts are missing",
	    halves_are_missing);
	test("parts count only when the split was noted", parts);
	return journals_end();
}
