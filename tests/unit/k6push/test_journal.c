/* SPDX-License-Identifier: MIT */
/* A journal that nothing happened to: what is written comes back, and goes. */
#include "k6push/journal_fixture.h"

/* Batches that are filled side by side, as time buckets are: each has its own
 * pieces, also when another of them is done with. */
static void
side_by_side(void)
{
	struct journal *j = open_new("side");
	struct journal_found found = { 0 };
	struct journal_batch one = batch_of(1), two = batch_of(2);
	struct journal_place place;
	struct why why;

	CHECK(journal_piece(j, &one, SPAN("a"), &why) == 0);
	CHECK(journal_piece(j, &two, SPAN("x"), &why) == 0);
	CHECK(journal_piece(j, &one, SPAN("b"), &why) == 0);
	CHECK(journal_piece(j, &two, SPAN("y"), &why) == 0);
	journal_close(j);
	j = open_again(&found);
	CHECK(got.n_pieces == 2 && found.missing == 0);
	CHECK_TEXT(got.text[1], "ab");
	CHECK_TEXT(got.text[2], "xy");
	journal_remove(j);
	journal_close(j);

	j = open_new("side2");
	CHECK(journal_piece(j, &one, SPAN("a"), &why) == 0);
	CHECK(journal_piece(j, &two, SPAN("x"), &why) == 0);
	CHECK(journal_cut(j, &one, &why) == 0);
	CHECK(journal_add(j, &one, SPAN("A"), &place, &why) == 0);
	CHECK(journal_piece(j, &two, SPAN("y"), &why) == 0);
	end_batch(j, 1, JOURNAL_ACKED, &place);
	journal_close(j);
	j = open_again(&found);
	CHECK(got.n_batches == 0 && got.n_pieces == 1);
	CHECK_TEXT(got.text[2], "xy");
	journal_remove(j);
	journal_close(j);
}

static void
batches_return(void)
{
	struct journal *j = open_new("return");
	struct journal_found found = { 0 };
	struct journal_batch open = batch_of(4), want = batch_of(2);
	struct journal_place one;
	struct buf out = { 0 };
	struct why why;

	CHECK(journal_note(j, SPAN("first"), &why) == 0);
	CHECK(journal_note(j, SPAN("second"), &why) == 0);
	one = put_batch(j, 1, "one");
	(void)put_batch(j, 2, "two");
	(void)put_batch(j, 3, "three");
	CHECK(journal_piece(j, &open, SPAN("fo"), &why) == 0);
	CHECK(journal_piece(j, &open, SPAN("ur"), &why) == 0);
	end_batch(j, 1, JOURNAL_ACKED, &one);
	CHECK(journal_bytes(j) > 0 && !journal_is_full(j));
	journal_close(j);

	j = open_again(&found);
	CHECK_BUF(found.note, "second");
	CHECK(got.n_batches == 2 && got.n_pieces == 1);
	CHECK(found.last == 4 && found.acked.batches == 1);
	CHECK(found.missing == 0);
	CHECK(found.damaged_bytes == 0);
	CHECK_TEXT(got.text[4], "four");
	CHECK(memcmp(got.batch[4].key, open.key, JOURNAL_KEY) == 0);
	CHECK(memcmp(&got.batch[2], &want, sizeof(want)) == 0);
	CHECK(journal_read(j, &got.place[2], &out, &why) == 0);
	CHECK_BUF(out, "two");
	CHECK(journal_read(j, &got.place[3], &out, &why) == 0);
	CHECK_BUF(out, "three");
	/* The pieces become a batch like others. */
	(void)put_batch(j, 5, "five");
	CHECK(journal_add(j, &open, SPAN("four"), &one, &why) == 0);
	journal_close(j);
	j = open_again(&found);
	CHECK(got.n_batches == 4 && got.n_pieces == 0);
	journal_remove(j);
	journal_close(j);
	CHECK(access(path, F_OK) != 0);
	buf_release(&out);
	buf_release(&found.note);
}

static void
segments_go(void)
{
	struct journal *j = open_new("segments");
	struct journal_place place[40];
	char file[100];
	int i;

	for (i = 1; i < 40; i++)
		place[i] = put_batch(j, (uint64_t)i, "some text of a batch");
	CHECK(place[1].segment == 1 && place[39].segment > 4);
	for (i = 1; i < 40; i++)
		if (place[i].segment == 2)
			end_batch(j, (uint64_t)i, JOURNAL_ACKED,
			    &place[i]);
	(void)snprintf(file, sizeof(file), "%s/seg.2", path);
	CHECK(access(file, F_OK) != 0);
	(void)snprintf(file, sizeof(file), "%s/seg.1", path);
	CHECK(access(file, F_OK) == 0);
	for (i = 1; i < 40; i++)
		if (place[i].segment != 2)
			end_batch(j, (uint64_t)i, JOURNAL_ACKED,
			    &place[i]);
	CHECK(journal_bytes(j) < 200);
	place[1] = put_batch(j, 40, "more");	/* also after all are gone */
	CHECK(place[1].segment > place[39].segment ||
	    journal_bytes(j) < 400);
	journal_remove(j);
	journal_close(j);
}

static void
one_at_a_time(void)
{
	struct journal *j = open_new("lock"), *second = NULL;
	struct why why;

	CHECK(journal_is_at(path));
	CHECK(journal_open(&second, path, JOURNAL_NEW, &options, &why) ==
	    -1);
	CHECK(journal_open(&second, path, JOURNAL_OLD, &options, &why) ==
	    JOURNAL_BUSY);
	CHECK(strstr(why.text, "in use by process") != NULL);
	journal_close(j);
	CHECK(journal_open(&second, path, JOURNAL_OLD, &options, &why) == 0);
	journal_remove(second);
	journal_close(second);
	CHECK(!journal_is_at(path));
}

static void
others_are_kept_out(void)
{
	struct journal *j = open_new("mode");
	char other[100];
	struct why why;

	journal_close(j);
	CHECK(chmod(path, 0755) == 0);
	CHECK(journal_open(&j, path, JOURNAL_OLD, &options, &why) == -1);
	CHECK(strstr(why.text, "chmod 700") != NULL);
	CHECK(chmod(path, 0700) == 0);
	(void)snprintf(other, sizeof(other), "%s/link", home);
	CHECK(symlink(path, other) == 0);
	CHECK(journal_open(&j, other, JOURNAL_OLD, &options, &why) == -1);
	CHECK(unlink(other) == 0);
	/* A link in the place of a file of ours is not followed. */
	(void)snprintf(other, sizeof(other), "%s/run", path);
	CHECK(symlink("/tmp/k6pipe-victim", other) == 0);
	CHECK(journal_open(&j, path, JOURNAL_OLD, &options, &why) == 0);
	CHECK(journal_note(j, SPAN("x"), &why) == -1);
	CHECK(access("/tmp/k6pipe-victim", F_OK) != 0);
	journal_remove(j);
	journal_close(j);
}

static void
refused(void)
{
	struct journal *j = open_new("refused");
	struct journal_place place = put_batch(j, 1, "bad");
	struct buf text = { 0 };
	char file[100];
	struct why why;

	CHECK(journal_refuse(j, "1.json", SPAN("bad"), "(400) no", &why) ==
	    0);
	end_batch(j, 1, JOURNAL_REFUSED, &place);
	journal_remove(j);
	journal_close(j);
	(void)snprintf(file, sizeof(file), "%s/refused/1.json.txt", path);
	CHECK(file_read(file, 1 << 16, &text, &why) == 0);
	CHECK_BUF(text, "(400) no");
	buf_release(&text);
}

static void
superseded(void)
{
	struct journal *j = open_new("superseded");
	struct journal_found found = { 0 };
	struct buf body = { 0 };
	struct journal_place place;
	struct journal_batch b;
	struct why why;
	char name[20];
	uint64_t i;

	for (i = 1; i <= 2; i++) {
		b = batch_of(i);
		place = put_batch(j, i, "bad");
		(void)snprintf(name, sizeof(name), "%d.rw", (int)i);
		CHECK(journal_refuse(j, name, SPAN("x"), "no", &why) == 0);
		journal_done(j, &b, JOURNAL_REFUSED, &place);
	}
	b = batch_of(2);
	journal_supersede(j, &b, "2.rw");
	CHECK(remove_file("refused/2.rw") != 0);
	CHECK(remove_file("refused/2.rw.txt") != 0);
	journal_close(j);
	j = open_again(&found);
	CHECK(found.refused.batches == 1 && found.refused.points == 3 &&
	    found.refused.requests == 4);
	CHECK(found.acked.batches == 1 && found.acked.points == 6 &&
	    found.acked.requests == 8);
	CHECK(found.gone.batches == 0 && found.missing == 0);
	CHECK(got.n_refused == 1 && got.refused == 1);
	CHECK(journal_read_refused(j, "1.rw", &body, &why) == 0);
	CHECK_BUF(body, "x");
	CHECK(journal_read_refused(j, "2.rw", &body, &why) < 0);
	buf_release(&body);
	/* With the last one the folder goes. */
	b = batch_of(1);
	journal_supersede(j, &b, "1.rw");
	CHECK(faccessat(j->dir, "refused", F_OK, 0) != 0);
	journal_remove(j);
	CHECK(access(path, F_OK) != 0);
	journal_close(j);
	buf_release(&found.note);
}

static void
peek(void)
{
	struct journal *j = open_new("peek");
	struct journal_found found = { .batch = on_batch };
	bool is_open = false;
	int64_t bytes = 0;
	struct why why;

	(void)put_batch(j, 1, "one");
	memset(&got, 0, sizeof(got));
	CHECK(journal_peek(path, &found, &is_open, &bytes, &why) == 0);
	CHECK(is_open && got.n_batches == 1 && bytes > RECORD_HEAD);
	journal_close(j);
	CHECK(journal_peek(path, &found, &is_open, &bytes, &why) == 0);
	CHECK(!is_open);
	CHECK(journal_peek("/nonexistent", &found, &is_open, &bytes, &why)
	    == -1);
}

static void
no_room(void)
{
	struct journal_batch b = batch_of(1);
	struct journal_place place;
	struct journal *j = open_new("full");
	struct journal_found found = { 0 };
	struct why why;

	CHECK(journal_piece(j, &b, SPAN("one"), &why) == 0);
	CHECK(journal_cut(j, &b, &why) == 0);
	/* A full disk, as far as segments go: their folder entry is taken. */
	(void)mkdirat(j->dir, "seg.1", 0700);
	CHECK(journal_add(j, &b, SPAN("one"), &place, &why) == -1);
	CHECK(place.segment == 0);
	journal_close(j);
	j = open_again(&found);
	CHECK(got.n_pieces == 1);
	CHECK_TEXT(got.text[1], "one");
	journal_close(j);
	buf_release(&found.note);
}

int
main(void)
{
	if (!journals_begin())
		return 1;
	test("what is written comes back, and what is done does not",
	    batches_return);
	test("segments go when all of them is done", segments_go);
	test("a journal has one writer", one_at_a_time);
	test("it is ours alone, and links are not followed",
	    others_are_kept_out);
	test("what is refused stays, with the reason", refused);
	test("what is superseded counts as acknowledged, and goes",
	    superseded);
	test("batches filled side by side keep their pieces apart",
	    side_by_side);
	test("a look from the side changes nothing", peek);
	test("without room for a segment the pieces stand for the batch",
	    no_room);
	return journals_end();
}
