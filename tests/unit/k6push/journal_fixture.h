/* SPDX-License-Identifier: MIT */
/* journal_fixture: journals of a test, with tiny segments, and what a load
 * found in them. */
#ifndef K6PIPE_TESTS_JOURNAL_FIXTURE_H
#define K6PIPE_TESTS_JOURNAL_FIXTURE_H

#define JOURNAL_SEGMENT 700
#include "k6push/journal/journal.c"
#include "k6push/journal/journal_log.c"
#include "k6push/journal/journal_write.c"

#include "tap.h"

static const struct journal_options options = { 1 << 20, -1 };
static char home[] = "/tmp/k6pipe-journal-XXXXXX";
static char path[80];

/* What a load found: batches by number, with what they hold. */
static struct {
	struct journal_batch batch[64];
	struct journal_place place[64];
	char text[64][32];
	int n_batches, n_pieces, n_refused;
	uint64_t refused;	/* the last of these */
} got;

static inline void
on_batch(void *ctx, const struct journal_batch *b,
    const struct journal_place *place)
{
	(void)ctx;
	got.n_batches++;
	got.batch[b->number] = *b;
	got.place[b->number] = *place;
}

static inline void
on_pieces(void *ctx, const struct journal_batch *b, struct span bytes)
{
	(void)ctx;
	got.n_pieces++;
	got.batch[b->number] = *b;
	(void)snprintf(got.text[b->number], sizeof(got.text[0]), "%.*s",
	    (int)bytes.n, bytes.p);
}

static inline void
on_refused(void *ctx, const struct journal_batch *b)
{
	(void)ctx;
	got.n_refused++;
	got.refused = b->number;
}

static inline int
remove_file(const char *name)
{
	char file[120];

	(void)snprintf(file, sizeof(file), "%s/%s", path, name);
	return unlink(file);
}

static inline struct journal_batch
batch_of(uint64_t number)
{
	struct journal_batch b = { .number = number, .format = 7, .flags = 9,
	    .samples = number * 2, .points = number * 3,
	    .requests = number * 4, .plain_bytes = 5 };

	memset(b.key, 'a' + (int)number, JOURNAL_KEY);
	return b;
}

static inline struct journal *
open_new(const char *name)
{
	struct journal *j = NULL;
	struct why why;

	(void)snprintf(path, sizeof(path), "%s/%s", home, name);
	CHECK(journal_open(&j, path, JOURNAL_NEW, &options, &why) == 0);
	return j;
}

static inline struct journal *
open_again(struct journal_found *found)
{
	struct journal *j = NULL;
	struct why why;

	memset(&got, 0, sizeof(got));
	buf_release(&found->note);
	*found = (struct journal_found){ .batch = on_batch,
	    .pieces = on_pieces, .was_refused = on_refused };
	if (journal_open(&j, path, JOURNAL_OLD, &options, &why) != 0)
		return NULL;
	CHECK(journal_load(j, found, &why) == 0);
	return j;
}

/* Piece, cut and add a batch of this text. */
static inline struct journal_place
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

static inline void
end_batch(struct journal *j, uint64_t number, enum journal_end how,
    const struct journal_place *place)
{
	struct journal_batch b = batch_of(number);

	journal_done(j, &b, how, place);
}

/* Make the folder of all journals; false: it cannot be made. */
static inline bool
journals_begin(void)
{
	return mkdtemp(home) != NULL;
}

/* Remove it. Returns the exit status of the tests. */
static inline int
journals_end(void)
{
	char *command = xasprintf("rm -r %s", home);
	int status = tap_end();

	if (system(command) != 0)
		status = 1;
	free(command);
	return status;
}

#endif
