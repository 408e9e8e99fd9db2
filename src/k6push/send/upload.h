/* SPDX-License-Identifier: MIT */
/*
 * upload: batches on their way to the server. Each stays here until the server
 * has it, it was split, or it was refused for good. After an outage the newest
 * goes first, then the backlog, with the newest now and then.
 */
#ifndef K6PIPE_K6PUSH_SEND_UPLOAD_H
#define K6PIPE_K6PUSH_SEND_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "data/settings.h"
#include "io/fetch.h"
#include "k6push/wire/batch.h"
#include "k6push/wire/numbers.h"
#include "k6push/wire/wire.h"
#include "k6push/send/packer.h"
#include "k6push/send/receiver.h"

/* All borrowed, until uploader_free(). */
struct uploader_config {
	const struct settings *settings;	/* read anew each time */
	struct journal *journal;	/* NULL: none */
	struct packer *packer;
	struct numbers *numbers;	/* shared with the reader */
};

/* Where the samples go. All borrowed, until uploader_free(). */
struct upload_target {
	const struct receiver *receiver;
	struct fetcher *fetcher;
	const char *host;
	const char *run;	/* id as in URLs; NULL: host is all; */
	const char *run_id;	/* and as it is */
	const char *database;	/* that has it; NULL: not known */
	const char *push;	/* id of this push among those that feed the
				   run; NULL: it feeds it alone */
	const char *token;	/* NULL: none */
	bool is_borrowed;	/* the run is one of K6_CLOUD_PUSH_REF_ID */
	const char *push_url;	/* NULL; or where all goes, instead, */
	const char *push_token;	/* with this bearer token */
	const struct fetch_access *access;	/* beside the token; or NULL */
	/* Is told of each answer about a batch, and of the message it answers.
	 * True: by what is known of the receiver now, the batch is to be sent
	 * again in another form. NULL: none. */
	bool (*learn)(void *ctx, const struct wire_message *m,
	    const struct fetch_reply *reply);
	void *ctx;
};

/* What became of the samples so far. */
struct upload_counts {
	struct amount acked, quarantined;
	uint64_t superseded;	/* points of acked that were refused first */
	/* The same of what an earlier process sent: none of acked. */
	struct amount superseded_before;
	uint64_t acked_batches;	/* those of acked */
	struct amount cut_there;	/* of acked: batch.cut of batches that
					 * the server had before, whole */
	struct amount lost;	/* refused without a journal, or damaged */
	struct amount waiting;	/* not yet acked, in flight or not */
	struct amount loose;	/* of waiting, those only in memory */
	uint64_t untold_refusals;	/* batches refused like others before */
	uint64_t resent;	/* tries after the first */
	uint64_t outages;
	int64_t longest_outage_ns;
};

/* An uploader that sends nothing yet; the caller frees it. All functions are
 * for one thread. */
struct uploader *uploader_new(const struct uploader_config *config);

/* Free it, with its batches and what it knows of requests under way: their
 * fetcher is gone by now. NULL is none. */
void uploader_free(struct uploader *u);

/* A batch of an earlier process. The uploader owns it from here on. */
void uploader_add(struct uploader *u, struct batch *p);

/* An earlier process was refused this batch, whose body is in the journal:
 * later ones may stand for it. */
void uploader_add_refused(struct uploader *u, const struct journal_batch *id);

/* The run exists: from here on batches may go, to this target. */
void uploader_open(struct uploader *u, const struct upload_target *to);

/* The same target has the run in this database; borrowed likewise. */
void uploader_set_database(struct uploader *u, const char *database);

/* Take over the batches that the packer has ready. True: more will come. */
bool uploader_take(struct uploader *u);

/* Hand loose batches back to the packer, now and then: the disk may have room
 * by now. */
void uploader_recall(struct uploader *u);

/* Start what may start now. Replies come through fetcher_wait. */
void uploader_start(struct uploader *u);

/* Tell the server that the run goes on, if it heard nothing for so long. */
void uploader_beat(struct uploader *u, int64_t silence_ns);

/* When uploader_start could start more; INT64_MAX if that needs no timer. */
int64_t uploader_next_ns(const struct uploader *u);

/* Nothing is waiting or under way, or nothing that would ever go. */
bool uploader_is_idle(const struct uploader *u);

/* Some batch is not yet acked. */
bool uploader_has_waiting(const struct uploader *u);

/* The run takes no more: nothing is sent. */
bool uploader_is_stopped(const struct uploader *u);

/* It is so as the server has removed the run. */
bool uploader_is_removed(const struct uploader *u);

/* When the server last took something, or uploader_open() was called; of the
 * monotonic clock. 0: neither yet. */
int64_t uploader_acked_ns(const struct uploader *u);

struct upload_counts uploader_counts(const struct uploader *u);

#endif
