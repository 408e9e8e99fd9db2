/* SPDX-License-Identifier: MIT */
/*
 * store_rows: all that is kept of a run, row by row, in an order and a form
 * that are the same in each database: a number that a database gave to a tag
 * set or a series is replaced by its place among those of the run, from 1.
 */
#ifndef K6PIPE_K6SERVE_STORE_STORE_ROWS_H
#define K6PIPE_K6SERVE_STORE_STORE_ROWS_H

#include "k6serve/store/engine.h"
#include "k6serve/store/store.h"

/* In the order in which they come: what is referred to comes first. */
enum store_table { STORE_RUN, STORE_TAG_SETS, STORE_SERIES, STORE_POINT,
	STORE_BATCH, STORE_SLOW, STORE_INSTANCE, STORE_VERDICT, STORE_STARTED,
	STORE_HOOK, STORE_TABLES };

enum { STORE_COLUMNS = 40 };	/* more than a table has */

/* "table(a, b)": where a row belongs, its values in order, behind a number for
 * the row itself in STORE_TAG_SETS and STORE_SERIES. The first value of
 * STORE_POINT is the place of its series, the fourth of STORE_SERIES that of
 * its tag set, 0: all of them; the second to fourth of STORE_STARTED are the
 * project, name and owner of its load test: its row goes nowhere as it is. */
const char *store_rows_into(enum store_table table);

/* How the table is called in a message. */
const char *store_rows_name(enum store_table table);

/* Values are borrowed until the return. Not 0 ends the walk with that value. */
typedef int store_row_each(void *ctx, enum store_table table,
    const struct engine_value *row, int n, struct why *why);

/* Each row of a run, which must not change meanwhile: within a transaction.
 * 0, also if there is no such run; -1: why. */
int store_rows(struct store *s, int64_t run, store_row_each *each, void *ctx,
    struct why *why);

/* What rows amount to: of each table their number, and a sum over all bytes. */
struct store_tally {
	uint64_t rows[STORE_TABLES], sums[STORE_TABLES];
};

void store_tally_add(struct store_tally *t, enum store_table table,
    const struct engine_value *row, int n);

/* Take the tally of a run, as store_rows. */
int store_tally_take(struct store *s, int64_t run, struct store_tally *t,
    struct why *why);

/* The first table whose rows differ; STORE_TABLES: none does. */
enum store_table store_tally_compare(const struct store_tally *a,
    const struct store_tally *b);

#endif
