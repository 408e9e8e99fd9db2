/* SPDX-License-Identifier: MIT */
/* life: one push, as its parts share it. */
#ifndef K6PIPE_K6PUSH_SESSION_H
#define K6PIPE_K6PUSH_SESSION_H

#include <signal.h>

#include "k6push/journal/note.h"
#include "k6push/push.h"
#include "k6push/read/reader.h"
#include "k6push/send/run_api.h"
#include "k6push/send/upload.h"

/* One push, or the rest of an earlier one. */
struct session {
	struct push_options *options;
	const char *file;		/* first operand, NULL: stdin */
	struct fetcher *fetcher;
	struct reader reader;
	struct packer packer;
	struct uploader uploader;
	struct run_api run_api;
	struct journal *journal;	/* NULL: none */
	struct note note;
	struct buf thresholds;		/* of the options */
	int wake;			/* bell of this thread */
	bool has_reader;		/* there is input to read */
	bool has_run;			/* created, and said so */
	bool has_input_ended;
	int64_t ended_ns;		/* then; monotonic */
	int64_t dropped;		/* requests, as the stream's End says */
	struct amount found;		/* in the journal, not yet delivered */
	struct amount foreign;		/* of a later version: left alone */
	uint64_t missing;		/* batches that should be in the journal */
	struct numbers numbers;		/* of batches */
};

/* What became of it all. */
struct books {
	uint64_t read;		/* points, and lines that are none */
	uint64_t acked, on_disk, quarantined, invalid, lost;	/* points */
	uint64_t resent;	/* requests sent again */
	int64_t made, stored, requests_on_disk;	/* HTTP requests */
	int64_t requests_dropped;	/* on purpose, before they came here */
	int64_t requests_lost, requests_twice;
};

struct books books_of(const struct session *session);
void books_print(const struct session *session, const struct books *b);

/* The worst of what there is to say. */
int exit_status_of(const struct session *session, const struct books *b);

/* Write --result's file. -1: why. */
int result_write(const struct session *session, const struct books *b,
    int exit_status, struct why *why);

/* Everything that is not yet delivered, and could be. */
struct amount session_left(const struct session *session);

/* Signals so far: how many, and the last one's number. */
extern volatile sig_atomic_t signals, last_signal;

/* Set up what sending needs. -1: why; the exit status is for wrong use. */
int session_init(
    struct session *session, struct push_options *o, struct why *why);
void session_release(struct session *session);

/* From the first data, or the first batch, to the finished run. Returns the
 * exit status. */
int session_deliver(struct session *session);

/* Write the note down. */
void session_note(struct session *session);

/* SIGINT and SIGTERM are counted from here on. */
void signals_take(int wake);

/* Where journals are: a path, which the caller frees. NULL: why. */
char *journals_path(const struct push_options *o, struct why *why);

/* Say so if earlier pushes left something in their journals. */
void tell_leftovers(const struct push_options *o);

/* Say where the rest lies and how to go on. */
void tell_resume(const struct session *session, const struct books *b);

#endif
