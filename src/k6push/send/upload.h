/* SPDX-License-Identifier: MIT */
/*
 * upload: batches on their way to the server. Each stays here until the
 * server has it, was split, or was refused for good. After an outage the
 * newest goes first, then the backlog, with the newest now and then.
 */
#ifndef K6PIPE_K6PUSH_SEND_UPLOAD_H
#define K6PIPE_K6PUSH_SEND_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "data/settings.h"
#include "io/fetch.h"
#include "k6push/wire/batch.h"
#include "k6push/wire/numbers.h"
#include "k6push/send/packer.h"

/* Times in ns; of the monotonic clock. */
struct outages {
	int64_t began_ns;	/* 0: none now */
	int64_t longest_ns;
	uint64_t n;
};

enum { TOLD_CAUSES = 8 };

struct uploader {
	struct fetcher *fetcher;
	const struct settings *settings;	/* read anew each time */
	struct journal *journal;	/* NULL: none */
	struct packer *packer;
	const char *host;	/* NULL until the run exists */
	const char *run;	/* id as it stands in URLs, */
	const char *run_id;	/* and as it is */
	const char *token;
	const char *push_url;	/* NULL; or where all goes, instead, */
	const char *push_token;	/* with this bearer token */
	struct numbers *numbers;	/* of batches; shared with the reader */
	struct batches waiting;	/* not yet acked, in flight or not */
	int in_flight;
	struct sending *sendings;	/* the tries under way */
	int failures;		/* tries in a row that went wrong */
	uint64_t n_sent;
	int64_t retry_at_ns;	/* monotonic; no try before */
	int64_t recalled_ns;
	int64_t acked_ns;	/* when the server last took something */
	bool is_catching_up;	/* there was an outage, there is a backlog */
	bool is_stopped;	/* the run takes no more: nothing is sent */
	const char *told;	/* kind of trouble last told; NULL: none */
	uint64_t told_causes[TOLD_CAUSES];	/* of it, as hashes */
	int n_told_causes;
	struct amount acked, quarantined;
	struct amount lost;	/* refused without a journal, or damaged */
	uint64_t resent;	/* tries after the first */
	uint64_t splits;
	struct outages outages;
};

void uploader_release(struct uploader *u);

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

#endif
