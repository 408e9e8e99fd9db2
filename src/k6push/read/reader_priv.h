/* SPDX-License-Identifier: MIT */
/* reader_priv: a reader, as its .c files share it. */
#ifndef K6PIPE_K6PUSH_READ_READER_PRIV_H
#define K6PIPE_K6PUSH_READ_READER_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/lines.h"
#include "data/sample.h"
#include "k6push/read/collect.h"
#include "k6push/read/open_batches.h"
#include "k6push/read/reader.h"
#include "k6push/read/running_batches.h"

/* How the reading is to end before the input does. */
enum reader_end { READER_GO, READER_SIGNAL, READER_NOW };

struct reader {
	/* set before the start: */
	struct lines in;
	struct packer *packer;
	struct journal *journal;	/* NULL: none */
	struct judge *judge;
	int wake;
	struct numbers *numbers;
	size_t memory_max;
	void (*on_head)(void *ctx, const struct run_start *start,
	    int64_t first_ns);
	void *ctx;
	struct cutter cutter;	/* of series; ctx NULL: of samples */
	bool has_open_batches;	/* protocol 2 */
	struct open_batches open_batches;
	struct running_batches running;	/* remote write */
	/* the sender's word, at any time: */
	_Atomic int stop, signal;	/* enum reader_end; its number */
	_Atomic int64_t interval_ns, max_samples;
	_Atomic int64_t period_ns, wait_ns;	/* of buckets; 0: as before */
	_Atomic bool is_answered;	/* these are the server's last word */
	const char *_Atomic renamed;	/* instance from here on; NULL: as is */
	_Atomic bool is_settled;	/* no other name is to be waited for */
	_Atomic bool is_useless;	/* the run takes no more */
	/* for the sender, at any time: */
	_Atomic bool has_head, has_ended;
	/* for the sender, after reader_join: */
	struct collector collector;
	struct bad_lines bad;
	struct amount unkept;	/* read after is_useless, for want of room */
	const struct verdict *crossed;	/* for which it ended; or NULL */
	/* its own: */
	pthread_t thread;
	int poked;		/* bell */
	struct batch *filling;
	size_t in_pieces;	/* bytes of filling's body */
	int64_t next_cut_ns, next_warning_ns;
	bool is_waiting;	/* has told so */
	bool is_stuck;		/* the disk does not take lines of series */
	bool is_passing;	/* samples are counted, not kept */
	bool has_thread;
};

/* The thread; ctx is its struct reader. */
void *reader_thread(void *ctx);

/* collector.each: take a sample. */
int reader_take_sample(void *ctx, const struct sample *s);

#endif
