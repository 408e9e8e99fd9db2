/* SPDX-License-Identifier: MIT */
/*
 * store_single: reads and writes tag sets, series and points one by one, for an
 * engine to which a statement is no round trip. The others have store_bulk.
 */
#ifndef K6PIPE_K6SERVE_STORE_STORE_SINGLE_H
#define K6PIPE_K6SERVE_STORE_STORE_SINGLE_H

#include "k6serve/store/store_priv.h"
#include "k6serve/store/store_query.h"

/* The number of a tag set; 0: the run does not have it; -1: why. */
int64_t store_single_tagset(struct store *s, int64_t run, struct span json,
    struct why *why);

/* The series of a row and, unless total is NULL, its total so far; 0: it is not
 * there; -1: why. */
int64_t store_single_series(struct store *s, int64_t run,
    const struct store_row *row, int64_t tagset, struct sink *total,
    struct why *why);

/* Make one that is not there; the number, or -1 and why. */
int64_t store_single_make_tagset(struct store *s, int64_t run,
    struct span json, struct why *why);
int64_t store_single_make_series(struct store *s, int64_t run,
    const struct store_row *row, int64_t tagset, struct why *why);

/* Add to the point of a series and a second, which usually is new: sink becomes
 * what the point has then. Set the total of a series. -1: why. */
int store_single_point(struct store *s, int64_t series, int64_t second,
    struct sink *sink, struct why *why);
int store_single_total(struct store *s, int64_t series,
    const struct sink *total, struct why *why);

#endif
