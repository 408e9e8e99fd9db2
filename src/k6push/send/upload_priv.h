/* SPDX-License-Identifier: MIT */
/* upload_priv: what upload.c and upload_reply.c share. */
#ifndef K6PIPE_K6PUSH_SEND_UPLOAD_PRIV_H
#define K6PIPE_K6PUSH_SEND_UPLOAD_PRIV_H

#include "k6push/send/upload.h"
#include "k6push/wire/wire.h"

enum { TOLD_CAUSES = 8 };

/* What was told, as hashes. */
struct causes {
	uint64_t hash[TOLD_CAUSES];
	int n;
};

/* Times in ns; of the monotonic clock. */
struct outages {
	int64_t began_ns;	/* 0: none now */
	int64_t longest_ns;
	uint64_t n;
};

struct uploader {
	const struct settings *settings;
	struct journal *journal;	/* NULL: none */
	struct packer *packer;
	struct numbers *numbers;
	struct upload_target to;	/* host NULL: no run yet */
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
	bool is_held;		/* told that too large batches wait */
	const char *told;	/* kind of trouble last told; NULL: none */
	struct causes told_causes;	/* of it */
	struct causes told_refusals;
	uint64_t untold_refusals;	/* batches */
	int refusals;		/* in a row, without an acknowledgement */
	struct amount acked, quarantined, lost;
	uint64_t resent;	/* tries after the first */
	uint64_t splits;
	struct outages outages;
};

/* A try. */
struct sending {
	struct sending *next;
	struct uploader *owner;
	struct batch *batch;	/* NULL: a sign of life */
	int64_t started_ns;
	struct buf body;	/* what of it is only for this try */
	struct wire_message message;
	char *url;
	char *bearer;		/* header with a token; NULL: none */
};

/* The server gave an answer that shows it works. */
void upload_note_success(struct uploader *u);

/* Do with the batch of s what the reply means for it; kept is its body in the
 * form it is kept in. */
void upload_take_outcome(struct uploader *u, const struct sending *s,
    const struct fetch_reply *reply, struct span kept);

enum split {
	SPLIT_DONE,	/* its halves wait in its stead */
	SPLIT_SINGLE,	/* it is a single sample */
	SPLIT_LATER,	/* the disk does not take a note of it: it waits */
};

/* Replace a batch that is too large by its two halves. The journal knows of
 * them before one is sent. */
enum split upload_split(struct uploader *u, struct batch *p,
    struct span kept);

/* Batch p is on disk by itself, or done with. */
void upload_leave_whole(struct uploader *u, struct batch *p);

/* Count a batch that cannot be sent as lost, and free it. */
void upload_lose(struct uploader *u, struct batch *p);

#endif
