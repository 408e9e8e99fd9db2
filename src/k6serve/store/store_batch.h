/* SPDX-License-Identifier: MIT */
/* store_batch: adds the samples of one request body to a run. */
#ifndef K6PIPE_K6SERVE_STORE_STORE_BATCH_H
#define K6PIPE_K6SERVE_STORE_STORE_BATCH_H

#include "k6serve/store/store_query.h"
#include "k6serve/store/store_slow.h"

struct store_batch {
	const char *owner;		/* who must see the run */
	int64_t run;
	struct span key;		/* n 0: none */
	struct span push;		/* that sends it; n 0: not known */
	const unsigned char *digest;	/* of the body */
	/* Those of a tag set stand together, in it those of a series, in it
	 * those of a second. */
	const struct store_row *rows;
	size_t n;
	const struct store_slow *slow;	/* candidates, in any order */
	size_t n_slow;
	int64_t max_series;	/* of the run; see STORE_OVERFLOW */
	int64_t requests, points;	/* for the books */
	struct store_extent data;
	int64_t step_s;
	int64_t now_ns;
};

/* Add all of it to the run, or nothing. STORE_DUPLICATE: a batch of that key
 * and digest was added before; STORE_CONFLICT: with that key another one;
 * STORE_WITHDRAWN: it is to come in parts. */
enum store_result store_batch_add(struct store *s,
    const struct store_batch *b, struct why *why);

/* The sender of a batch wants to send it in parts, and does not know if it
 * came. STORE_DUPLICATE: it is stored; STORE_DONE: it is not, and never will be
 * under this key (STORE_WITHDRAWN). */
enum store_result store_batch_withdraw(struct store *s, const char *owner,
    int64_t run, struct span key, struct why *why);

/* How many batches of a run are stored, each under a key of its own; -1:
 * why. */
int64_t store_batch_count(struct store *s, int64_t run, struct why *why);

/* What is stored of a push, of those that feed the run; each batch of it is one
 * of these, or of those without a push. 0, or -1 and why. */
struct store_push_count {
	int64_t batches, requests;
	int64_t unnamed;	/* batches of which the push is not known */
};
int store_batch_count_push(struct store *s, int64_t run, struct span push,
    struct store_push_count *n, struct why *why);

#endif
