/* SPDX-License-Identifier: MIT */
/* upload_priv: what the upload*.c files share. */
#ifndef K6PIPE_K6PUSH_SEND_UPLOAD_PRIV_H
#define K6PIPE_K6PUSH_SEND_UPLOAD_PRIV_H

#include "k6push/send/superseded.h"
#include "k6push/send/upload.h"
#include "k6push/wire/wire.h"

enum {
	TOLD_CAUSES = 8,
	UPLOAD_ALIKE = 3,	/* equal failures, which are no accident */
};

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
	int64_t acked_ns;	/* when there last was progress */
	int64_t taken_ns;	/* when the server last took a batch */
	bool is_catching_up;	/* there was an outage, there is a backlog */
	bool is_stopped;	/* the run takes no more: nothing is sent */
	bool is_removed;	/* for it was removed on the server */
	bool is_held;		/* told that too large batches wait */
	bool is_unreadable;	/* told that some cannot be read */
	const char *told;	/* kind of trouble last told; NULL: none */
	struct causes told_causes;	/* of it */
	struct causes told_refusals;
	uint64_t untold_refusals;	/* batches */
	int refusals;		/* in a row, without an acknowledgement */
	struct causes told_unanswered;
	int unanswered;		/* withdrawals, in a row */
	bool cannot_withdraw;	/* the server knows no such call */
	bool has_withdrawn;	/* it has answered one */
	struct amount acked, quarantined, lost;
	struct amount cut_there;	/* of acked, as upload_counts has it */
	struct superseded refused;	/* in quarantined or lost, so far */
	uint64_t superseded;	/* refused first, then acked; points */
	struct superseded refused_before;	/* by an earlier process */
	struct amount superseded_before;	/* of that */
	uint64_t acked_batches;
	uint64_t resent;	/* tries after the first */
	uint64_t splits;
	struct outages outages;
};

/* What the server said of a batch that it does not take. */
struct refusal {
	bool may_split;
	char *text;		/* NULL: nothing */
};

/* A try. */
struct sending {
	struct sending *next;
	struct uploader *owner;
	struct batch *batch;	/* NULL: a heartbeat */
	int64_t started_ns;
	struct buf body;	/* what of it is only for this try */
	struct wire_message message;
	char *url;
	const char *tail;	/* of the path, behind the run */
	bool is_withdrawal;	/* of the batch's key, after this: */
	struct refusal refusal;	/* its text is owned */
	char *bearer;		/* header with a token; NULL: none */
};

/* The server gave an answer that shows it works. */
void upload_note_success(struct uploader *u);

/* A try with batch p (NULL: none), to be filled in and posted. */
struct sending *upload_sending(struct uploader *u, struct batch *p);

/* Send message s with that key to the path of its run. */
void upload_post(struct uploader *u, struct sending *s, const char *path,
    const char *key);

/* The body of the batch of s in the form it is kept in. -1, why: it is damaged;
 * JOURNAL_UNREADABLE, why: not now. */
int upload_kept_body(struct uploader *u, struct sending *s,
    struct span *kept, struct why *why);

/* That of p cannot be read now: it waits, and others go first. */
void upload_read_later(struct uploader *u, struct batch *p,
    const struct why *why);

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

/* Tell why a batch cannot be sent, count it as lost, and free it. */
void upload_lose(struct uploader *u, struct batch *p, const struct why *why);

/* The server has it: count it, and free it. */
void upload_acknowledge(struct uploader *u, struct batch *p);

/* No answer that decides: tell it, and wait for the next try. */
void upload_try_later(struct uploader *u, const struct sending *s,
    const struct fetch_reply *reply);

/* The next try of any batch is after a pause. */
void upload_pause(struct uploader *u, const struct sending *s,
    const struct fetch_reply *reply);

/* Tell that a withdrawal has no answer that decides, once for each cause. */
void upload_tell_unanswered(struct uploader *u, const struct sending *s,
    const struct fetch_reply *reply);

/* Split the batch of s, or keep it aside. The reply is that of s, which may
 * be the answer to a withdrawal. */
void upload_refuse(struct uploader *u, const struct sending *s,
    const struct fetch_reply *reply, const struct refusal *refusal,
    struct span kept);

/* Is the server to be asked before p is split? */
bool upload_must_withdraw(const struct uploader *u, const struct batch *p);

/* Ask it. refusal is what it said of the batch; NULL: nothing yet. */
void upload_withdraw(struct uploader *u, struct batch *p,
    const struct refusal *refusal);
void upload_take_withdrawal(struct uploader *u, struct sending *s,
    const struct fetch_reply *reply);

#endif
