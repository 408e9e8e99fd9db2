/* SPDX-License-Identifier: MIT */
/*
 * reader: a thread that reads the stream, makes samples of it and cuts them
 * into batches. What a read brought is in the journal before the next read.
 * It waits while the journal is full or the disk is: back-pressure, not loss.
 */
#ifndef K6PIPE_K6PUSH_READ_READER_H
#define K6PIPE_K6PUSH_READ_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/unpack.h"
#include "base/why.h"
#include "data/judge.h"
#include "data/run.h"
#include "data/settings.h"
#include "k6push/journal/journal.h"
#include "k6push/read/running.h"
#include "k6push/send/packer.h"
#include "k6push/wire/batch.h"
#include "k6push/wire/numbers.h"

/* All borrowed, until reader_free(), but for settings: until reader_new()
 * returns. */
struct reader_config {
	char *const *files;
	int n_files;		/* 0: stdin */
	const struct codec *const *codecs;	/* of packed files */
	const struct settings *settings;
	struct judge *judge;	/* of the reader's thread while it runs */
	const char *instance;	/* put on every sample as a tag; NULL: none */
	bool awaits_name;	/* another may have it: the first sample waits
				 * a moment for reader_settle_name() */
	const struct running_config *running;	/* of remote write; or NULL */
	struct packer *packer;
	struct journal *journal;	/* NULL: none */
	struct numbers *numbers;	/* shared with the uploader */
	int wake;		/* bell of the sender */
	size_t memory_max;	/* bytes of loose batches, without a journal */
	/* The start is known: called once by the reader's thread, before it
	 * keeps a sample. start is all zero if the stream has none; first_ns is
	 * its time, or that of the first sample; 0: not known. */
	void (*on_head)(void *ctx, const struct run_start *start,
	    int64_t first_ns);
	void *ctx;
};

/* What came, and what the stream told about the run. */
struct reader_counts {
	uint64_t points;	/* Point lines, or what aggregates stand for */
	uint64_t requests;	/* of them, http_reqs */
	uint64_t invalid;	/* lines that are none of the stream */
	const char *hint;	/* foreign_hint of the first; or NULL */
	struct amount unkept;	/* read after reader_let_pass() */
	int failed_files;	/* that could not be read */
	int64_t starts;		/* Start lines */
	const struct verdict *crossed;	/* of config.judge: it aborted the
					 * reading; or NULL */
	bool has_end;		/* the generator's: k6agg's own is none */
	struct run_end end;	/* of all End lines; until reader_free() */
	int64_t first_ns, last_ns;	/* of the run; 0: not known */
	const char *own_testid;	/* remote write: the run of samples that name
				 * theirs; NULL: none, until reader_free() */
	bool has_own_testids;	/* they name several */
};

/* A reader without its thread yet; the caller frees it. NULL, why: the
 * settings are not those of protocol 2. */
struct reader *reader_new(
    const struct reader_config *config, struct why *why);

/* Its thread has ended, or never began; NULL is none. */
void reader_free(struct reader *r);

/* Start the thread. */
void reader_start(struct reader *r);

/*
 * For the thread that started it, at any time:
 */

/* on_head has returned; all is read and cut, but for reader_join(). */
bool reader_has_head(const struct reader *r);
bool reader_has_ended(const struct reader *r);

/* The server's word: how batches are to be cut from here on. -1, why: a period
 * or wait that protocol 2 does not have; the ones before stay. */
int reader_set_settings(struct reader *r, const struct settings *s,
    struct why *why);

/* Another has the name of our instance: from the next read on samples have
 * this one as their tag. Borrowed, until reader_join(); only of a reader that
 * was given one. */
void reader_rename(struct reader *r, const char *instance);

/* The first sample need not wait any more: the server said whether another has
 * the name, or cannot say so now. */
void reader_settle_name(struct reader *r);

/* The run takes no more: what there is no room for is counted, not kept. */
void reader_let_pass(struct reader *r);

/* A signal came: stop, unless the input ends by itself with that signal. */
void reader_interrupt(struct reader *r, int signal);

/* Stop. */
void reader_stop(struct reader *r);

/* Wait for its end; all that was read is cut and with the packer. */
void reader_join(struct reader *r);

/*
 * After reader_join():
 */

struct reader_counts reader_counts(const struct reader *r);

#endif
