/* SPDX-License-Identifier: MIT */
/* store_batch_priv: what store_batch's .c files share. */
#ifndef K6PIPE_K6SERVE_STORE_STORE_BATCH_PRIV_H
#define K6PIPE_K6SERVE_STORE_STORE_BATCH_PRIV_H

#include "k6serve/store/store_batch.h"
#include "k6serve/store/store_priv.h"

/* Put the rows of a batch into its run, whose state is locked. 0; -1: why. */
int store_batch_put(struct store *s, const struct store_batch *b,
    const struct store_state *state, struct why *why);

/* How many of n rows of one tag set, from the first on, are of one series. */
size_t store_batch_same_series(const struct store_row *rows, size_t n);

#endif
