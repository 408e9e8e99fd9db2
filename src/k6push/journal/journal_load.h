/* SPDX-License-Identifier: MIT */
/* journal_load: a load in progress, as its parts share it. */
#ifndef K6PIPE_K6PUSH_JOURNAL_JOURNAL_LOAD_H
#define K6PIPE_K6PUSH_JOURNAL_JOURNAL_LOAD_H

#include "k6push/journal/journal_priv.h"

/* What became of each number. */
enum fate { FATE_UNKNOWN, FATE_ACKED = JOURNAL_ACKED, FATE_SPLIT =
	JOURNAL_SPLIT, FATE_REFUSED = JOURNAL_REFUSED, FATE_HALVED =
	RECORD_HALVED, FATE_LOST = JOURNAL_LOST, FATE_LIVE };

struct load {
	struct journal *j;
	struct journal_found *found;
	unsigned char *fates;	/* by number */
	size_t cap;
	struct halves halves;
	struct made made, ended;	/* as they are noted */
	/* numbers in the names of files, sorted: */
	uint64_t *segments, *open_files;
	size_t n_segments, n_open_files;
	size_t cap_segments, cap_open_files;
	bool has_failed;	/* a file that is there could not be read: */
	struct why why;
	const char *file;	/* being read */
	const char *start;
	bool is_torn_normal;	/* the end of this file may be cut short */
	struct buf bytes;	/* of a file */
	struct buf pieces;
	/* of damaged records of batches, in no order: */
	uint64_t *damaged;	/* the numbers that can still be read */
	size_t n_damaged, cap_damaged;
	uint64_t n_nameless;	/* stretches in which none can be read */
	bool has_batches;	/* the file that is being read does */
	/* of the open file that is being read: */
	uint64_t open_number;	/* 0: none is */
	struct journal_sum most;	/* by the heads of its pieces */
};

enum fate load_fate(const struct load *l, uint64_t number);
void load_set_fate(struct load *l, uint64_t number, enum fate fate);

/* A part of a batch that was not yet noted as split: it will be split again. */
bool load_is_early_part(const struct load *l, const struct journal_batch *b);

/* A part that is itself halved, and of which nothing was found; or NULL. */
struct halved *load_halved_part(const struct load *l, uint64_t number);

/* Is something of a halved batch to be made anew of it? */
bool load_is_wanted(const struct load *l, const struct halved *h);

/* The halved batch b was found at a place. */
struct halved *load_set_present(struct load *l, const struct journal_batch *b,
    const struct journal_place *place);

/* Hand out a halved batch that was found, if something of it is wanted. */
void load_take_halved(struct load *l, struct halved *h, struct span pieces);

/* All has been read: hand out those that stand in segments. */
void load_take_halves(struct load *l);

/* All has been read: count in l->found what is missing, and what is gone. */
void load_count_missing(struct load *l);

#endif
