/* SPDX-License-Identifier: MIT */
/*
 * store_bulk: reads and writes the series and points of a batch in few
 * statements, for an engine to which each statement is a round trip
 * (ENGINE_FIND_TAGSETS is not NULL). The run is locked: nobody else changes
 * its series meanwhile.
 */
#ifndef K6PIPE_K6SERVE_STORE_STORE_BULK_H
#define K6PIPE_K6SERVE_STORE_STORE_BULK_H

#include "k6serve/store/store_numbers.h"
#include "k6serve/store/store_priv.h"
#include "k6serve/store/store_query.h"

struct store_bulk {
	struct store *s;
	int64_t run;
	int64_t last_second;	/* no point is of a later one */
	const struct store_row *rows;	/* borrowed, as struct store_batch has
					   them */
	size_t n;
	struct bulk_known *known;	/* of each row that is the first of its
					   series; owned */
	struct store_numbers tagset_numbers, series_numbers;	/* for what is
								   new */
	struct bulk_tagset *tagsets;	/* to be written; owned */
	size_t n_tagsets, cap_tagsets;
	struct bulk_series *series;	/* likewise, new ones, */
	size_t n_series, cap_series;
	struct bulk_total *totals;	/* those that were there, */
	size_t n_totals, cap_totals;
	struct bulk_point *points;	/* and the points of both */
	size_t n_points, cap_points;
};

/* Does the engine of the store want it this way? */
bool store_has_bulk(const struct store *s);

/* How many rows to look up at a time: from rows on, at most about a window, but
 * all of a tag set. */
size_t store_bulk_window(const struct store_row *rows, size_t n);

/* Look up the tag sets and series of n rows. k is zeroed, but for s, run and
 * last_second; store_bulk_release frees the rest. -1: why. */
int store_bulk_open(struct store_bulk *k, const struct store_row *rows,
    size_t n, struct why *why);
void store_bulk_release(struct store_bulk *k);

/* By the first row of a tag set, or a series: its number; 0: the run does not
 * have it. The total so far is the caller's to release. */
int64_t store_bulk_tagset(const struct store_bulk *k,
    const struct store_row *row);
int64_t store_bulk_series(struct store_bulk *k, const struct store_row *row,
    struct sink *total);

/* Make what is not there, of such a row: its number, or -1 and why. The total
 * of a series that was made must be set. */
int64_t store_bulk_make_tagset(struct store_bulk *k,
    const struct store_row *row, struct why *why);
int64_t store_bulk_make_series(struct store_bulk *k,
    const struct store_row *row, int64_t tagset, struct why *why);

/* Add to the point of a series and a second, of which each comes once; set the
 * total of a series. The sinks are taken over, and left empty. */
void store_bulk_point(struct store_bulk *k, int64_t series, int64_t second,
    struct sink *sink);
void store_bulk_total(struct store_bulk *k, int64_t series,
    struct sink *total);

/* Write all of it. -1: why. */
int store_bulk_write(struct store_bulk *k, struct why *why);

/* Of n rows with all tag sets together, how many series the run does not have;
 * -1: why. */
int64_t store_bulk_count_new(struct store *s, int64_t run,
    const struct store_row *rows, size_t n, struct why *why);

#endif
