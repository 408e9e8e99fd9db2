/* SPDX-License-Identifier: MIT */
/* journal_priv: what the parts of the journal share. */
#ifndef K6PIPE_K6PUSH_JOURNAL_JOURNAL_PRIV_H
#define K6PIPE_K6PUSH_JOURNAL_JOURNAL_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "k6push/journal/journal.h"

#ifndef JOURNAL_SEGMENT
#define JOURNAL_SEGMENT (16 << 20)	/* a segment takes no more from here */
#endif

#define JOURNAL_NAME "seg."	/* and the number: a segment */

enum { RECORD_HEAD = 80, NAME_TEXT = 32 };

enum record_type { RECORD_NOTE = 1, RECORD_PIECE, RECORD_CUT, RECORD_BATCH,
	RECORD_DONE };

enum {				/* flags of a RECORD_DONE, beside journal_end */
	RECORD_HALVED = 4,	/* parent is the number of the first part */
	RECORD_MADE = 6,	/* it is cut: how much is in it */
};

struct record {
	enum record_type type;
	struct journal_batch batch;
	struct span payload;
	uint64_t offset;	/* of the payload in its file */
};

/* The pieces of one batch. */
struct open_file {
	struct open_file *next;
	uint64_t number;
	int fd;
	uint64_t bytes;
	_Atomic uint64_t written, synced;	/* bytes */
	bool is_named;		/* the folder's entry is on disk */
};

struct segment {
	struct segment *next;
	uint64_t number;
	uint64_t bytes;
	uint64_t live;		/* batches to be sent */
};

/* A batch that is halved. */
struct halved {
	struct journal_batch batch;
	uint64_t first;		/* number of its first part */
	bool is_present;	/* it was found: */
	struct journal_place place;	/* segment 0: by its pieces */
	struct journal_sum parts;	/* what is in those that are known */
};

/* A zeroed struct is empty; free v. */
struct halves {
	struct halved *v;
	size_t n, cap;
};

/* b as it is noted: its parent is the number of its first part. */
void halves_add(struct halves *all, const struct journal_batch *b);
void halves_sort(struct halves *all);	/* after the last is added */
struct halved *halves_find(const struct halves *all, uint64_t number);

/* b is done with, or found, and may be a part: its whole has less left. */
void halves_take_part(struct halves *all, const struct journal_batch *b);

/* Batches that are noted; a zeroed struct is empty, free v. */
struct made {
	struct journal_batch *v;
	size_t n, cap;
};

void made_add(struct made *all, const struct journal_batch *b);
void made_sort(struct made *all);	/* after the last is added */
const struct journal_batch *made_find(const struct made *all, uint64_t number);

struct journal {
	char *path;
	int dir, lock, notes, done, out;	/* descriptors; -1: not open */
	struct journal_options options;
	_Atomic int64_t bytes;
	uint64_t note_bytes, done_bytes, done_room;
	pthread_mutex_t mutex;		/* of the two lists */
	pthread_mutex_t adding;		/* one batch at a time */
	pthread_mutex_t noting;		/* what is done: one record at a time */
	pthread_mutex_t syncing;	/* no open file is closed meanwhile */
	struct open_file *open_files;
	struct segment *segments;	/* the first is open if out >= 0 */
	uint64_t last_segment;
	int64_t last_sync_ns;
	bool is_peek;		/* nothing is changed */
};

/* Write one record at offset of fd, which becomes the record's end. -1: what
 * stands behind offset is of no meaning. */
int record_write(int fd, uint64_t *offset, const struct record *r,
    struct why *why);

/* The record that begins at p, of at most n bytes; false: there is none. */
bool record_parse(const char *p, size_t n, struct record *r);

/* The head at the begin of bytes that are no whole record: what it says, which
 * is not checked. False: there is none. */
bool record_head(struct span bytes, struct record *r);

/* Step through the records of a file in memory: *at starts at 0. False at the
 * end. What is no record is passed over and handed to bad. */
typedef void record_bad(void *ctx, struct span bytes, bool is_tail);
bool record_next(struct span file, size_t *at, struct record *r,
    record_bad *bad, void *ctx);

/* Step through what may be heads of records in bytes that are damaged: *at
 * starts at 0. Number and parent are what the head says, which may itself be
 * damaged. False at the end. */
bool record_next_damaged(struct span damaged, size_t *at, uint64_t *number,
    uint64_t *parent);

/* Append a whole file of the journal to out. 0; 1: there is none; -1. */
int journal_slurp(int dir, const char *name, struct buf *out,
    struct why *why);

/* Put a segment with one live batch first; out: where batches are added. */
struct segment *segment_new(struct journal *j, uint64_t number,
    uint64_t bytes, int out);

/* The file of what is done, or -1; with room for some more records, also if the
 * disk is full by then. */
int journal_open_done(struct journal *j);

/* Remove refused/NAME and its reason, and the folder when it is empty. */
void journal_forget_refused(struct journal *j, const char *name);

/* Keep damaged bytes of the file name in bad/. */
void journal_set_aside(struct journal *j, const char *name, uint64_t offset,
    struct span bytes);

/* why: the path of a file, and errno. -1. */
int journal_errno(const struct journal *j, const char *name,
    struct why *why);

#endif
