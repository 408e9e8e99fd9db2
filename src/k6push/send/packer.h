/* SPDX-License-Identifier: MIT */
/*
 * packer: a thread that compresses batches and writes them to the journal's
 * segments, so that neither reading nor sending waits for that.
 */
#ifndef K6PIPE_K6PUSH_SEND_PACKER_H
#define K6PIPE_K6PUSH_SEND_PACKER_H

#include <stdbool.h>
#include <stddef.h>

#include "k6push/journal/journal.h"
#include "k6push/wire/batch.h"

/* All borrowed, until packer_free(). */
struct packer_config {
	struct journal *journal;	/* NULL: none */
	int wake;			/* bell, rung when batches are ready */
};

/* A packer without its thread yet; the caller frees it. */
struct packer *packer_new(const struct packer_config *config);

/* Free it, and the batches in it. The thread has ended, or never began; NULL
 * is none. */
void packer_free(struct packer *k);

/* Start the thread. */
void packer_start(struct packer *k);

/* Bytes of loose batches, wherever they are. From any thread. */
size_t packer_loose_bytes(const struct packer *k);

/* A loose batch begins to count, or counts anew; it no longer does. */
void packer_count_loose(struct packer *k, struct batch *p);
void packer_forget_loose(struct packer *k, struct batch *p);

/* Compress a batch, if it is plain, and put it into the journal. Where there
 * is no room it goes on as it is: its pieces are on disk, or it is loose. */
void packer_pack(struct packer *k, struct batch *p);

/* Hand over a batch. Waits while too much is there, unless in a hurry. */
void packer_put(struct packer *k, struct batch *p);

/* Move what is ready to the end of list. True if more will come. */
bool packer_take(struct packer *k, struct batches *list);

/* From now on packer_put() does not wait, and the thread ends before it has
 * packed all. From any thread. */
void packer_hurry(struct packer *k);

/* Nothing more will be put. Ends the thread, after all of it is packed or, in
 * a hurry, at once; what was not packed is ready as it is. */
void packer_stop(struct packer *k);

#endif
