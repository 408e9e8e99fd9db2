/* SPDX-License-Identifier: MIT */
/*
 * packer: a thread that compresses batches and brings them to the journal's
 * segments, off the path of reading and off that of sending.
 */
#ifndef K6PIPE_K6PUSH_SEND_PACKER_H
#define K6PIPE_K6PUSH_SEND_PACKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "k6push/journal/journal.h"
#include "k6push/wire/batch.h"

struct packer {
	struct journal *journal;	/* NULL: none */
	int wake;			/* bell, rung when batches are ready */
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct batches in, out;
	bool is_working;	/* one is between in and out */
	bool is_closing;	/* ends when nothing is left */
	bool has_thread;
	_Atomic size_t loose_bytes;	/* of loose batches anywhere */
	_Atomic bool is_hurried;	/* ends now, leaves the rest */
};

/* Start the thread. */
void packer_start(struct packer *k);

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

/* Nothing more will be put. Ends the thread, after all of it is packed or at
 * once; what was not packed is ready as it is. */
void packer_stop(struct packer *k, bool is_hurried);

#endif
