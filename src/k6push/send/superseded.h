/* SPDX-License-Identifier: MIT */
/*
 * superseded: samples of remote write that a receiver refused, by series. All
 * series except gauges count from the beginning of the run: a later sample,
 * once it is accepted, includes the refused one; of a gauge, the later one is
 * what counts. One struct is of what one process was refused.
 */
#ifndef K6PIPE_K6PUSH_SEND_SUPERSEDED_H
#define K6PIPE_K6PUSH_SEND_SUPERSEDED_H

#include "base/map.h"
#include "k6push/wire/batch.h"

/* A zeroed struct is empty. */
struct superseded {
	struct map by_key;		/* of series; owned */
	size_t n_open;			/* of these nothing was taken since */
	struct refused_batch *batches;	/* owned; of series that are open */
	size_t n, cap;
};

void superseded_release(struct superseded *s);

/* The batch p, whose body is kept, is refused. */
void superseded_hold(struct superseded *s, const struct batch *p,
    struct span kept);

/* A refused batch, all of whose series go on with a sample that is taken. */
typedef void superseded_done(void *ctx, const struct journal_batch *id);

/* The batch p is taken. Returns how much of what was refused it stands for;
 * done is called for batches. */
struct amount superseded_take(struct superseded *s, const struct batch *p,
    struct span kept, superseded_done *done, void *ctx);

#endif
