/* SPDX-License-Identifier: MIT */
/*
 * journal: batches on disk until a server has them. A folder holds
 *
 *   lock      one process at a time has the journal open
 *   run       notes: what the batches belong to; the last one counts
 *   open.N    the pieces of batch N while it is being filled
 *   seg.N     batches that are cut, one behind the other
 *   done      the batches that are cut, and those that need no more sending
 *   bad/      damaged bytes that were passed over, as they were found
 *   refused/  batches that no server takes, and why
 *
 * Every record has a checksum; files only grow, and go as a whole. What is
 * damaged is passed over and never stops the reading of the rest. A batch has
 * its number and its key from its first piece on, and keeps them. A batch that
 * is split is halved first: a record in done names its parts, of which the
 * journal then need not have the bytes.
 *
 * Pieces (journal_piece, journal_cut) come from one thread, all but
 * journal_add, journal_made and journal_sync from one other; those from any.
 */
#ifndef K6PIPE_K6PUSH_JOURNAL_JOURNAL_H
#define K6PIPE_K6PUSH_JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/why.h"

#define JOURNAL_KEY 16		/* bytes of a batch's key, no NUL */

enum { KEY_TEXT = JOURNAL_KEY + 1 };	/* room for a key as text */

struct journal;

struct journal_options {
	int64_t max_bytes;	/* on disk; past it journal_is_full */
	int64_t sync_ns;	/* longest time that bytes wait for the disk;
				   0: they never wait; -1: the system decides */
};

/* A batch. The caller gives meaning to format and flags. */
struct journal_batch {
	uint64_t number;	/* 1, 2, 3 in order of their cutting */
	uint64_t parent;	/* number of the batch it is a part of; 0 */
	char key[JOURNAL_KEY];
	uint8_t format;
	uint16_t flags;
	uint64_t samples, points, requests;
	uint64_t plain_bytes;	/* of the body before compression */
};

/* Where a body stands. segment 0: in no segment. */
struct journal_place {
	uint64_t segment, offset;
	size_t bytes;
};

enum journal_open { JOURNAL_NEW, JOURNAL_OLD };

#define JOURNAL_BUSY (-2)	/* another process has it */
#define JOURNAL_UNREADABLE (-3)	/* no descriptor, no memory, or the disk */

/* Open the journal in the folder path; JOURNAL_NEW makes the folder, mode
 * 0700, JOURNAL_OLD needs it. It must be ours alone. 0; -1; JOURNAL_BUSY. */
int journal_open(struct journal **j, const char *path,
    enum journal_open how, const struct journal_options *o, struct why *why);

/* NULL is none. */
void journal_close(struct journal *j);

/* Remove everything but what was refused or damaged; then the journal is of
 * no more use, and the folder is gone if nothing is left in it. */
void journal_remove(struct journal *j);

/* True if path is a folder with a journal in it. */
bool journal_is_at(const char *path);

/* True if it has a note: its maker took the lock before it wrote that, and all
 * else after it. */
bool journal_has_note_at(const char *path);

/* True if that journal waits for somebody to deliver it: nobody has it open,
 * and there is more in it than what was refused. */
bool journal_waits_at(const char *path);

/* True if all of its batches are done with and only what was refused or damaged
 * is left, with the note. */
bool journal_is_over_at(const char *path);

const char *journal_path(const struct journal *j);

/* Write down what the batches belong to; on disk when this returns. */
int journal_note(struct journal *j, struct span text, struct why *why);

/* Append bytes to batch b->number, one of any that are not cut: it has number
 * and key. -1: nothing was added (a full disk); it may be tried again. */
int journal_piece(struct journal *j, const struct journal_batch *b,
    struct span bytes, struct why *why);

/* No more pieces: the batch is as b says. -1: as above. */
int journal_cut(struct journal *j, const struct journal_batch *b,
    struct why *why);

/* Put the batch b, whose body may be sent as soon as this returns, into a
 * segment; its pieces go. If that fails, -1, the pieces stay, and are on disk
 * in its stead. */
int journal_add(struct journal *j, const struct journal_batch *b,
    struct span body, struct journal_place *place, struct why *why);

/* Note how much is in a batch that is cut, wherever it is: if it is neither
 * found nor done with later, so much is gone. Where the disk has no room there
 * is some for this. */
void journal_made(struct journal *j, const struct journal_batch *b);

/* Bring pieces to the disk that waited long enough; all with is_now. */
int journal_sync(struct journal *j, bool is_now, struct why *why);

/* Put the body that stands at place into out. -1: it is damaged, or its file is
 * gone; JOURNAL_UNREADABLE: it may be read later. */
int journal_read(struct journal *j, const struct journal_place *place,
    struct buf *out, struct why *why);

/*
 * Note that batch b is halved: from here on its two parts count in its stead,
 * numbered first and first + 1. What of them is not added can be made anew of
 * b, which stays until it is done with. On disk when this returns, so that no
 * part is sent before; -1: b still counts.
 */
int journal_halve(struct journal *j, const struct journal_batch *b,
    uint64_t first, struct why *why);

/* How a batch came to need no more sending. */
enum journal_end { JOURNAL_ACKED = 1, JOURNAL_SPLIT, JOURNAL_REFUSED,
	JOURNAL_LOST = 5 };

/* Batch b at place (segment 0: it has only pieces) is done with. Disk space is
 * freed when all of a segment is. */
void journal_done(struct journal *j, const struct journal_batch *b,
    enum journal_end how, const struct journal_place *place);

/* Keep a body and the reason aside, in refused/NAME and refused/NAME.txt. */
int journal_refuse(struct journal *j, const char *name, struct span body,
    const char *reason, struct why *why);

/* Append the body in refused/NAME. -1, why: it is not there. */
int journal_read_refused(struct journal *j, const char *name, struct buf *out,
    struct why *why);

/* What was refused is acknowledged after all, as a later batch has it: forget
 * refused/NAME. If that cannot be noted, the file stays, and who resumes counts
 * it as refused. */
void journal_supersede(struct journal *j, const struct journal_batch *b,
    const char *name);

int64_t journal_bytes(const struct journal *j);	/* on disk now */
bool journal_is_full(const struct journal *j);

struct journal_sum {
	uint64_t batches, points, requests;
};

/* What journal_load finds. Callbacks may be NULL. */
struct journal_found {
	void *ctx;
	/* The note is known (it may be empty), before any batch. NULL, or -1,
	 * why: the load ends. */
	int (*noted)(void *ctx, struct why *why);
	/* A batch in a segment that is to be sent. */
	void (*batch)(void *ctx, const struct journal_batch *b,
	    const struct journal_place *place);
	/* A batch that was being filled, or whose writing was cut short: its
	 * pieces. Add it, and it is one of the above. b has the points and
	 * requests that it was to have, those of a cut piece included. */
	void (*pieces)(void *ctx, const struct journal_batch *b,
	    struct span bytes);
	/* A batch that is halved, and parts of it are to be made anew, as
	 * journal_part tells. It stands at place, or (segment 0) is of these
	 * pieces. */
	void (*halved)(void *ctx, const struct journal_batch *b,
	    const struct journal_place *place, struct span pieces);
	/* A batch that was refused, and of which no later one stands: what is
	 * in it counts in `refused`. */
	void (*was_refused)(void *ctx, const struct journal_batch *b);
	/* filled in: */
	const struct load *load;	/* for journal_part; during the load */
	struct buf note;	/* the last; empty if there is none */
	uint64_t last;		/* the highest number */
	struct journal_sum acked, refused, lost;	/* done with */
	bool is_uncounted;	/* an older version did not note how much is
				   in those that are done with */
	struct journal_sum cut;	/* not to be read: their pieces were cut short
				   before the first was whole */
	struct journal_sum gone;	/* cut, not done with, and not there */
	uint64_t damaged_bytes;
	uint64_t missing;	/* batches that are damaged and were not done
				   with; a number that nothing names is none */
};

enum journal_part {
	JOURNAL_PART_NONE,	/* it is done with, or is another callback's */
	JOURNAL_PART_WANTED,	/* it is to be made and sent */
	JOURNAL_PART_HALVED,	/* it is to be made, for its own parts */
};

/* Within `halved`: what to do with part n (0, 1) of the batch with this
 * number, which is halved, and the number of that part. */
enum journal_part journal_part(const struct journal_found *found,
    uint64_t whole, int n, uint64_t *number);

/* Within `halved`: what is left of it, without the parts that are done with or
 * another callback's. */
struct journal_sum journal_rest(const struct journal_found *found,
    uint64_t whole);

/* During the load: is this batch done with, or was it found? */
bool journal_knows(const struct journal_found *found, uint64_t number);

/* During the load: the number of the batch that this one is a part of, or a
 * part of a part; of a whole, its own. */
uint64_t journal_root(const struct journal_found *found, uint64_t number);

/* Read the journal after its opening. -1: the folder cannot be read. */
int journal_load(struct journal *j, struct journal_found *found,
    struct why *why);

/* Read a journal that may be in use by another process. NULL batch, pieces:
 * only the note. is_open: somebody has it open. */
int journal_peek(const char *path, struct journal_found *found, bool *is_open,
    int64_t *bytes, struct why *why);

#endif
