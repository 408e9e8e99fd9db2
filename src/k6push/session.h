/* SPDX-License-Identifier: MIT */
/*
 * session: one push, as its parts share it.
 *
 * thread   begins          may touch
 * main     main()          all of the session before reader_start() and after
 *                          reader_join(); in between uploader, run_api, note,
 *                          journal, and the reader by those functions that
 *                          its header allows at any time
 * reader   reader_start()  its reader (lines, collector, open batches); the
 *                          note and the name in the settings within on_head,
 *                          before reader_has_head()
 * packer   packer_start()  its own lists, under its mutex; the batch in work
 *
 * All three may call numbers_take(), packer_put() and the functions of the
 * journal that its header names for them. A batch belongs to one thread at a
 * time: to the reader until packer_put(), to the packer until packer_take(),
 * then to main. Signal handlers only count, and wake main.
 */
#ifndef K6PIPE_K6PUSH_SESSION_H
#define K6PIPE_K6PUSH_SESSION_H

#include <signal.h>
#include <stdatomic.h>

#include "k6push/journal/note.h"
#include "k6push/push.h"
#include "k6push/read/reader.h"
#include "k6push/remote.h"
#include "k6push/send/run_api.h"
#include "k6push/send/upload.h"
#include "k6push/wire/wire.h"

/* What earlier processes did with the journal that is resumed. */
struct earlier {
	struct journal_sum acked, refused;
	struct amount cut;	/* in pieces whose writing was cut short */
	struct amount gone;	/* read, and there is no trace of it */
	bool is_known;		/* the note tells what there was to deliver */
};

/* One push, or the rest of an earlier one. */
struct session {
	struct push_options *options;
	const char *file;		/* first operand, NULL: stdin */
	struct fetcher *fetcher;
	struct reader *reader;	/* NULL: there is no input to read */
	struct packer *packer;
	struct uploader *uploader;
	struct run_api *run_api;
	struct remote remote;
	struct journal *journal;	/* NULL: none */
	struct note note;
	atomic_bool owes_note;		/* it could not be written */
	int64_t note_at_ns;		/* when it is tried again; monotonic */
	struct judge judge;		/* thresholds, of options and stream */
	int wake;			/* bell of this thread */
	bool has_run;			/* created, and said so */
	bool is_renamed;		/* another feeds the run by our name */
	bool has_input_ended;
	int64_t ended_ns;		/* then; monotonic */
	int64_t dropped;		/* requests, as the stream's End says */
	struct amount found;		/* in the journal, not yet delivered */
	struct amount foreign;		/* of a later version: left alone */
	struct earlier earlier;
	const struct journal_found *loading;	/* while it is resumed: */
	uint64_t whole[WIRE_LANES];	/* the last batch that is whole */
	uint64_t missing;	/* batches that are damaged in the journal */
	bool is_unreadable;	/* or that cannot be read now */
	bool is_verified;	/* the store said how many requests it has: */
	int64_t verified;
	bool is_unverified;	/* it was to say so, and did not */
	struct numbers numbers;		/* of batches */
};

/* What became of it all. */
struct books {
	uint64_t read;		/* points, and lines that are none */
	uint64_t acked, on_disk, quarantined, invalid, lost;	/* points */
	uint64_t resent;	/* requests sent again */
	int64_t outages, longest_outage_ns;
	uint64_t missing;	/* batches that are damaged in the journal */
	uint64_t untold_refusals;	/* batches, like one that was told */
	uint64_t superseded;	/* points of acked, refused at first */
	uint64_t gone;		/* of lost: not in the journal any more */
	bool is_open;		/* a later process has something to do */
	int64_t made, stored, requests_on_disk;	/* HTTP requests */
	int64_t requests_dropped;	/* on purpose, before they came here */
	int64_t requests_lost, requests_twice;
	bool is_verified;	/* the store was asked for them, and said so: */
	int64_t verified;
	bool is_unverified;	/* it was to be asked, and did not say */
	uint64_t batches_acked;	/* by the server, which has, in the end, */
	uint64_t batches_gone;	/* so many of them no more, or, where others
				 * fed the run without a name, */
	bool is_gone_least;	/* at least so many */
};

struct books books_of(const struct session *session);
void books_print(const struct books *b);

/* The worst of what there is to say. */
int exit_status_of(const struct session *session, const struct books *b);

/* Write --result's file. -1: why. */
int result_write(const struct session *session, const struct books *b,
    int exit_status, struct why *why);

/* What the reader counted; all 0 without one. */
struct reader_counts session_read(const struct session *session);

/* The run takes no more, and the user wants the push to end with that. */
bool session_is_cut_off(const struct session *session);

/* A metrics store is to say what it has of the push: one was asked to, and
 * something was to be sent. */
bool session_is_to_verify(const struct session *session);

/* The server has removed the run, and with it what it had stored of it. */
bool session_run_is_removed(const struct session *session);

/* After SIGTERM there is so much time: SIGKILL follows. */
enum { TERM_S = 2 };

/* Signals so far: how many, and the last one's number. */
extern volatile sig_atomic_t signals, last_signal;

/* Begin; the session is to be released, whatever becomes of it. */
void session_init(struct session *session, struct push_options *o);
void session_release(struct session *session);

/* Make the packer and the uploader, with the journal as it is now. */
void session_make_stages(struct session *session);

/* Add the thresholds of options. -1: why, one is none. */
int push_thresholds(struct judge *judge, const struct opt_list *list,
    struct why *why);

/* Make what calls need: fetcher and run_api. Signals are taken from here on.
 * -1: why; the exit status is for wrong use. */
int session_connect(struct session *session, struct why *why);

/* From the first data, or the first batch, to the finished run, the books, and
 * what becomes of the journal. Returns the exit status. */
int session_deliver(struct session *session);

/* The parts of that: send until all is sent or there is no time left; sleep
 * until something can be done and do it (true: the packer has more); note how
 * the input ended, after the reader has. */
void session_send(struct session *session);
bool session_step(struct session *session);
void session_end_input(struct session *session);

/* journal_found.halved: make the parts that are wanted, for the uploader. */
void session_take_halved(struct session *session,
    const struct journal_found *found, const struct journal_batch *b,
    const struct journal_place *place, struct span pieces);

/* Write the note down; where that fails, session_step() and the end try it
 * again. By the thread that may touch the note. */
void session_note(struct session *session);

/* SIGINT, SIGTERM and SIGHUP are counted from here on, and ring the bell
 * wake. */
void signals_take(int wake);

/* They still count, but ring nothing: the bell is about to be closed. */
void signals_let_go(void);

/* Where journals are: a path, which the caller frees. NULL: why. */
char *journals_path(const struct push_options *o, struct why *why);

/* Say so if earlier pushes left something in their journals. */
void tell_leftovers(const struct push_options *o);

#endif
