/* SPDX-License-Identifier: MIT */
/*
 * aggregates: aggregates of several streams, those of the same bucket and tag
 * set merged into one. Histograms wait in their short form (hist_encode).
 */
#ifndef K6PIPE_K6AGG_FOLD_AGGREGATES_H
#define K6PIPE_K6AGG_FOLD_AGGREGATES_H

#include "base/buf.h"
#include "base/map.h"
#include "data/aggregate.h"

struct aggregates_entry;

/* A zeroed struct is empty. */
struct aggregates {
	struct map by_key;
	struct aggregates_entry **list;
	size_t n, cap;
	struct buf scratch, key;
};

void aggregates_release(struct aggregates *as);

/* Add one that stream number `source` gave: it merges with what is there of
 * the same time, period and tag set. */
void aggregates_add(struct aggregates *as, const struct aggregate *a,
    uint32_t source);

/* True if the stream gave an aggregate of this time, period and tag set. */
bool aggregates_has(struct aggregates *as, int64_t time_ns,
    int64_t period_ns, const struct tagset *tags, uint32_t source);

/* Hand out all: by time, period and the text of their tags, in whatever order
 * they came. */
void aggregates_each(struct aggregates *as,
    void (*each)(void *ctx, const struct aggregate *a), void *ctx);

#endif
