/* SPDX-License-Identifier: MIT */
/* A journal that is damaged, cut short, or has strange files: what a load
 * finds, and what it calls missing. */
#include "k6push/journal_fixture.h"

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

int
main(void)
{
	if (!journals_begin())
		return 1;
	test("what is noted and not there is gone", what_is_gone);
	test("a flipped bit in each byte loses one record at most", damage);
	test("what is damaged is counted, unless it was done with",
	    damaged_batches_are_counted);
	test("a part whose writing was cut short is not missing", cut_part);
	test("numbers that were never used are not missing", gaps_are_nothing);
	test("a file that is cut short anywhere keeps what is whole",
	    cut_each_length);
	test("files that are none of ours do no harm", strange_files);
	return journals_end();
}
