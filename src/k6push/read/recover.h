/* SPDX-License-Identifier: MIT */
/*
 * recover: a batch of which only the pieces are on disk, because its writer
 * ended while it was being filled: it is cut where they end.
 */
#ifndef K6PIPE_K6PUSH_READ_RECOVER_H
#define K6PIPE_K6PUSH_READ_RECOVER_H

#include "base/why.h"
#include "k6push/read/running.h"
#include "k6push/wire/batch.h"

/* Of remote write. */
struct recover_as {
	const struct running_config *config;
	struct batch **begin;
};

/*
 * Append to plain the body that the pieces make, and set the counts of p. -1:
 * they are damaged, or of a later version. Of remote write, `as` says how its
 * series are sent (NULL: as is usual). What came before the pieces is not known
 * any more, so they become series of their own, told by the label `instance`,
 * sums over instances are right. *as->begin gets the batch that goes before it,
 * if there is to be one, which the caller owns; it may be NULL.
 */
int recover_batch(struct batch *p, struct span pieces,
    const struct recover_as *as, struct buf *plain, struct why *why);

#endif
