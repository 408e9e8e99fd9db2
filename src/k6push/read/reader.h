/* SPDX-License-Identifier: MIT */
/*
 * reader: a thread that reads the stream, makes samples of it and cuts them
 * into batches. What a read brought is in the journal before the next read.
 * It waits while the journal is full or the disk is: back-pressure, not loss.
 */
#ifndef K6PIPE_K6PUSH_READ_READER_H
#define K6PIPE_K6PUSH_READ_READER_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/lines.h"
#include "k6push/read/collect.h"
#include "k6push/read/open_batches.h"
#include "k6push/wire/numbers.h"
#include "k6push/send/packer.h"

/* How the reading is to end before the input does. */
enum reader_stop { READER_GO, READER_SIGNAL, READER_NOW };

struct reader {
	/* set before the start: */
	struct lines in;
	struct packer *packer;
	struct journal *journal;	/* NULL: none */
	int wake;		/* bell of the sender */
	struct numbers *numbers;	/* shared with the uploader */
	size_t memory_max;	/* bytes of loose batches, without a journal */
	void (*on_head)(void *ctx);	/* the start is known: called once by
				   the reader, before it keeps a sample */
	void *ctx;
	bool has_open_batches;	/* protocol 2 */
	struct open_batches open_batches;	/* by open_batches_init */
	/* the sender's word, at any time: */
	_Atomic int stop, signal;	/* enum reader_stop; its number */
	_Atomic int64_t interval_ns, max_samples;
	_Atomic int64_t period_ns, wait_ns;	/* of buckets; 0: as before */
	_Atomic bool is_answered;	/* these are the server's last word */
	_Atomic bool is_useless;	/* the run takes no more */
	/* for the sender, at any time: */
	_Atomic bool has_head, has_ended;
	/* for the sender, after has_head (start) or reader_join: */
	struct collector collector;
	struct bad_lines bad;
	struct amount unkept;	/* read after is_useless, for want of room */
	/* its own: */
	pthread_t thread;
	int poked;		/* bell */
	struct batch *filling;
	size_t in_pieces;	/* bytes of filling's body */
	int64_t next_cut_ns, next_warning_ns;
	bool is_waiting;	/* has told so */
	bool is_stuck;		/* the disk does not take lines of buckets */
	bool is_passing;	/* samples are counted, not kept */
	bool has_thread;
};

void reader_start(struct reader *r);

/* Let it look at stop again. */
void reader_poke(struct reader *r);

/* Wait for its end; all that was read is cut and with the packer. */
void reader_join(struct reader *r);

void reader_release(struct reader *r);

#endif
