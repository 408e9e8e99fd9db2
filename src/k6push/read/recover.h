/* SPDX-License-Identifier: MIT */
/*
 * recover: a batch of which only the pieces are on disk, because its writer
 * ended while it was being filled: it is cut where they end.
 */
#ifndef K6PIPE_K6PUSH_READ_RECOVER_H
#define K6PIPE_K6PUSH_READ_RECOVER_H

#include "base/why.h"
#include "k6push/wire/batch.h"

/* Append to plain the body that the pieces make, and set the counts of p. -1:
 * they are damaged, or of a later version. */
int recover_batch(struct batch *p, struct span pieces, struct buf *plain,
    struct why *why);

#endif
