/* SPDX-License-Identifier: MIT */
#define JOURNAL_SEGMENT 700
#include "k6push/journal/journal.c"
#include "k6push/journal/journal_log.c"
#include "k6push/journal/journal_write.c"
#include "k6push/journal/journal_load.c"

#include "tap.h"

static const struct journal_options options = { 1 << 20, -1 };
static char home[] = "/tmp/k6pipe-journal-XXXXXX";
static char path[80];

/* What a load found: batches by number, with what they hold. */
static struct {
	struct journal_batch batch[64];
	struct journal_place place[64];
	char text[64][32];
	int n_batches, n_pieces;
} got;

static void
on_batch(void *ctx, const struct journal_batch *b,
    const struct journal_place *place)
{
	(void)ctx;
	got.n_batches++;
	got.batch[b->number] = *b;
	got.place[b->number] = *place;
}

static void
on_pieces(void *ctx, const struct journal_batch *b, struct span bytes)
{
	(void)ctx;
	got.n_pieces++;
	got.batch[b->number] = *b;
	(void)snprintf(got.text[b->number], sizeof(got.text[0]), "%.*s",
	    (int)bytes.n, bytes.p);
}

static int
remove_file(const char *name)
{
	char file[120];

	(void)snprintf(file, sizeof(file), "%s/%s", path, name);
	return unlink(file);
}

static struct journal_batch
batch_of(uint64_t number)
{
	struct journal_batch b = { .number = number, .format = 7, .flags = 9,
	    .samples = number * 2, .points = number * 3,
	    .requests = number * 4, .plain_bytes = 5 };

	memset(b.key, 'a' + (int)number, JOURNAL_KEY);
	return b;
}

static struct journal *
open_new(const char *name)
{
	struct journal *j = NULL;
	struct why why;

	(void)snprintf(path, sizeof(path), "%s/%s", home, name);
	CHECK(journal_open(&j, path, JOURNAL_NEW, &options, &why) == 0);
	return j;
}

static struct journal *
open_again(struct journal_found *found)
{
	struct journal *j = NULL;
	struct why why;

	memset(&got, 0, sizeof(got));
	buf_release(&found->note);
	*found = (struct journal_found){ .batch = on_batch,
	    .pieces = on_pieces };
	if (journal_open(&j, path, JOURNAL_OLD, &options, &why) != 0)
		return NULL;
	CHECK(journal_load(j, found, &why) == 0);
	return j;
}

/* Piece, cut and add a batch of this text. */
static struct journal_place
put_batch(struct journal *j, uint64_t number, const char *text)
{
	struct journal_batch b = batch_of(number);
	struct journal_place place = { 0 };
	struct why why;

	CHECK(journal_piece(j, &b, span_of(text), &why) == 0);
	CHECK(journal_cut(j, &b, &why) == 0);
	CHECK(journal_add(j, &b, span_of(text), &place, &why) == 0);
	return place;
}

static void
end_batch(struct journal *j, uint64_t number, enum journal_end how,
    const struct journal_place *place)
{
	struct journal_batch b = batch_of(number);

	journal_done(j, &b, how, place);
}

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
	CHECK(found.last == 4 && found.acked.batches == 1 && found.missing == 0);
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
what_is_gone(void)
{
	struct journal *j = open_new("gone");
	struct journal_found found = { 0 };
	struct journal_batch loose = batch_of(4), cut = batch_of(5);
	struct journal_batch torn = batch_of(6);
	char file[120];
	struct journal_place place[4];
	struct why why;
	int i;

	for (i = 1; i < 4; i++) {
		struct journal_batch b = batch_of((uint64_t)i);

		place[i] = put_batch(j, b.number, "text");
		journal_made(j, &b);
	}
	journal_made(j, &loose);	/* the disk takes no more of it */
	CHECK(journal_piece(j, &cut, SPAN("part"), &why) == 0);
	cut.points += 7;
	journal_made(j, &cut);
	CHECK(journal_piece(j, &torn, SPAN("part"), &why) == 0);
	journal_made(j, &torn);
	(void)snprintf(file, sizeof(file), "%s/open.6", path);
	CHECK(truncate(file, RECORD_HEAD + 1) == 0);
	end_batch(j, 1, JOURNAL_ACKED, &place[1]);
	journal_close(j);
	j = open_again(&found);
	CHECK(got.n_batches == 2 && got.n_pieces == 1);
	CHECK(got.batch[5].points == 15 + 7);
	CHECK(found.gone.batches == 2 && found.gone.points == 12 + 18 &&
	    found.gone.requests == 16 + 24 && found.missing == 0);
	CHECK(found.cut.points == 0 && found.last == 6);
	journal_close(j);
	CHECK(remove_file("seg.1") == 0 && remove_file("open.5") == 0);
	j = open_again(&found);
	CHECK(found.gone.batches == 5 && found.gone.points == 6 + 9 + 12 +
	    22 + 18);
	journal_remove(j);
	journal_close(j);
	buf_release(&found.note);
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

/* Write a journal of three batches and one that is filling, in one segment
 * each time. Returns the bytes of a file of it. */
static void
write_sample(const char *name, const char *file, struct buf *bytes)
{
	struct journal *j = open_new(name);
	struct journal_batch open = batch_of(4);
	struct journal_place one;
	char full[120];
	struct why why;

	(void)journal_note(j, SPAN("a note"), &why);
	one = put_batch(j, 1, "one");
	(void)put_batch(j, 2, "two");
	(void)put_batch(j, 3, "three");
	(void)journal_piece(j, &open, SPAN("four"), &why);
	end_batch(j, 1, JOURNAL_ACKED, &one);
	journal_close(j);
	(void)snprintf(full, sizeof(full), "%s/%s", path, file);
	CHECK(file_read(full, 1 << 20, bytes, &why) == 0);
}

static void
overwrite(const char *file, const char *bytes, size_t n)
{
	char full[120];
	FILE *f;

	(void)snprintf(full, sizeof(full), "%s/%s", path, file);
	f = fopen(full, "w");
	if (f == NULL || fwrite(bytes, 1, n, f) != n || fclose(f) != 0)
		CHECK(false);
}

/* Open the damaged journal; it must open, and say what is lost. Returns what
 * is still there of batches 2, 3, 4. */
static int
survivors(int *told)
{
	struct journal_found found = { 0 };
	struct journal *j = open_again(&found);
	struct buf out = { 0 };
	struct why why;
	int n = 0, i;

	CHECK(j != NULL);
	for (i = 2; i <= 3; i++)
		if (got.place[i].bytes != 0 &&
		    journal_read(j, &got.place[i], &out, &why) == 0)
			n++;
	n += strcmp(got.text[4], "four") == 0;
	*told = found.damaged_bytes > 0 || found.missing > 0;
	/* A batch that comes back whole is what it was. */
	if (got.place[2].bytes != 0 && journal_read(j, &got.place[2], &out,
	    &why) == 0)
		CHECK_BUF(out, "two");
	journal_close(j);
	buf_release(&out);
	buf_release(&found.note);
	return n;
}

static void
flip_each_bit(const char *file)
{
	struct buf bytes = { 0 };
	size_t i;
	int bit, n, told;

	write_sample(file, file, &bytes);
	for (i = 0; i < bytes.n; i++) {
		bit = (int)(i % 8);
		bytes.p[i] = (char)(bytes.p[i] ^ (1 << bit));
		overwrite(file, bytes.p, bytes.n);
		n = survivors(&told);
		CHECK(n >= 2);		/* one at most is lost */
		CHECK(n == 3 || told || strcmp(file, "seg.1") != 0);
		bytes.p[i] = (char)(bytes.p[i] ^ (1 << bit));
		overwrite(file, bytes.p, bytes.n);
	}
	buf_release(&bytes);
}

/* How many batches are missing after n bytes of seg.1 from `at` on are those
 * of `fill`; at counts from its end if it is negative. */
static uint64_t
missing_after(const char *name, long at, size_t n, int fill)
{
	struct journal_found found = { 0 };
	struct buf bytes = { 0 };
	uint64_t missing;

	write_sample(name, "seg.1", &bytes);
	memset(bytes.p + (at < 0 ? (long)bytes.n + at : at), fill, n);
	overwrite("seg.1", bytes.p, bytes.n);
	journal_close(open_again(&found));
	missing = found.missing;
	CHECK(found.damaged_bytes > 0);
	buf_release(&bytes);
	buf_release(&found.note);
	return missing;
}

static void
damaged_batches_are_counted(void)
{
	const long second = RECORD_HEAD + 3;

	CHECK(missing_after("miss1", RECORD_HEAD, 1, '?') == 0); /* done */
	CHECK(missing_after("miss2", second + RECORD_HEAD, 1, '?') == 1);
	CHECK(missing_after("miss3", second, 4, '?') == 1); /* its magic */
	CHECK(missing_after("miss4", second, RECORD_HEAD, 0) == 1);
	CHECK(missing_after("miss5", -1, 1, '?') == 1);	/* the last one */
}

/* Killed while the first part is written: the whole is there. */
static void
cut_part(void)
{
	struct journal *j = open_new("cutpart");
	struct journal_found found = { 0 };
	struct journal_place place = put_batch(j, 1, "both");
	struct journal_batch left = batch_of(2), open = batch_of(4);
	struct buf bytes = { 0 };
	char full[120];
	struct why why;

	left.parent = 1;
	CHECK(journal_add(j, &left, SPAN("bo"), &place, &why) == 0);
	CHECK(journal_piece(j, &open, SPAN("four"), &why) == 0);
	journal_close(j);
	(void)snprintf(full, sizeof(full), "%s/seg.1", path);
	CHECK(file_read(full, 1 << 20, &bytes, &why) == 0);
	overwrite("seg.1", bytes.p, bytes.n - 1);
	j = open_again(&found);
	CHECK(got.n_batches == 1 && got.n_pieces == 1 && found.missing == 0);
	journal_remove(j);
	journal_close(j);
	buf_release(&bytes);
	buf_release(&found.note);
}

static void
gaps_are_nothing(void)
{
	struct journal *j = open_new("gaps");
	struct journal_found found = { 0 };
	struct journal_batch open = batch_of(17);
	struct why why;

	(void)put_batch(j, 4, "four");
	(void)put_batch(j, 9, "nine");
	CHECK(journal_piece(j, &open, SPAN("x"), &why) == 0);
	journal_close(j);
	j = open_again(&found);
	CHECK(got.n_batches == 2 && got.n_pieces == 1 && found.last == 17);
	CHECK(found.missing == 0 && found.damaged_bytes == 0);
	journal_remove(j);
	journal_close(j);
	buf_release(&found.note);
}

static void
damage(void)
{
	flip_each_bit("seg.1");
	flip_each_bit("open.4");
	flip_each_bit("done");
	flip_each_bit("run");
}

static void
cut_each_length(void)
{
	static const char *const files[] = { "seg.1", "open.4", "done",
	    "run" };
	struct buf bytes = { 0 };
	size_t i, f;
	int n, told;

	for (f = 0; f < 4; f++) {
		char name[20];

		(void)snprintf(name, sizeof(name), "cut%zu", f);
		buf_reset(&bytes);
		write_sample(name, files[f], &bytes);
		for (i = 0; i <= bytes.n; i++) {
			overwrite(files[f], bytes.p, i);
			n = survivors(&told);
			/* All whole records before the cut are there. */
			CHECK(f != 0 || n >= 1 +
			    (i >= 2 * (RECORD_HEAD + 3)) +
			    (i == bytes.n));
			CHECK(f == 0 || n >= 2);
		}
	}
	buf_release(&bytes);
}

static void
strange_files(void)
{
	struct journal_found found = { 0 };
	struct buf bytes = { 0 };
	struct journal *j;
	char other[120];

	write_sample("strange", "seg.1", &bytes);
	overwrite("seg.7", bytes.p, bytes.n);	/* twice the same */
	overwrite("seg.x", "x", 1);
	overwrite("seg.99999999999999999999", "x", 1);
	overwrite("open.9", "", 0);
	overwrite("seg.8", "garbage that is no record at all", 32);
	(void)snprintf(other, sizeof(other), "%s/seg.9", path);
	CHECK(mkdir(other, 0700) == 0);
	(void)snprintf(other, sizeof(other), "%s/open.3", path);
	CHECK(mkfifo(other, 0600) == 0);
	j = open_again(&found);
	CHECK(got.n_batches == 2 && got.n_pieces == 1);
	CHECK(found.damaged_bytes == 32);
	journal_close(j);
	buf_release(&bytes);
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
	char *command;
	int status;

	if (mkdtemp(home) == NULL)
		return 1;
	test("parts of a halved batch are made anew, if they are not done",
	    halves_of_a_segment);
	test("of a halved batch the list has what its parts do not",
	    halves_have_a_rest);
	test("what is noted and not there is gone", what_is_gone);
	test("a batch of pieces is halved like another", halves_of_pieces);
	test("of a halved batch that is damaged the parts are missing",
	    halves_are_missing);
	test("what is written comes back, and what is done does not",
	    batches_return);
	test("segments go when all of them is done", segments_go);
	test("a journal has one writer", one_at_a_time);
	test("it is ours alone, and links are not followed",
	    others_are_kept_out);
	test("parts count only when the split was noted", parts);
	test("what is refused stays, with the reason", refused);
	test("a flipped bit in each byte loses one record at most", damage);
	test("what is damaged is counted, unless it was done with",
	    damaged_batches_are_counted);
	test("a part whose writing was cut short is not missing", cut_part);
	test("numbers that were never used are not missing", gaps_are_nothing);
	test("batches filled side by side keep their pieces apart",
	    side_by_side);
	test("a file that is cut short anywhere keeps what is whole",
	    cut_each_length);
	test("files that are none of ours do no harm", strange_files);
	test("a look from the side changes nothing", peek);
	test("without room for a segment the pieces stand for the batch",
	    no_room);
	command = xasprintf("rm -r %s", home);
	status = tap_end();
	if (system(command) != 0)
		status = 1;
	free(command);
	return status;
}
