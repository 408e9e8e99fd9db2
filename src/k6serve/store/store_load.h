/* SPDX-License-Identifier: MIT */
/* store_load: writes many rows at once, within a transaction. */
#ifndef K6PIPE_K6SERVE_STORE_STORE_LOAD_H
#define K6PIPE_K6SERVE_STORE_STORE_LOAD_H

#include "k6serve/store/store_priv.h"

enum { STORE_LOAD_COLUMNS = 16 };	/* more than are loaded */

/* Up to n rows of "table(a, b)". */
struct store_load {
	const char *into;	/* a constant */
	int columns;
	size_t n;
	/* Set the columns of the i-th row, which may point to what lives until
	 * the next one. False: there is none. */
	bool (*put)(void *ctx, size_t i, struct engine_value *row);
	void *ctx;
};

/* Write them, if n is not 0; what puts them must not use the store, but for its
 * blob. 0, or -1 and why. */
int store_load(struct store *s, const struct store_load *load,
    struct why *why);

/* A row of points; its histogram lives in the store's blob. */
#define STORE_POINT_INTO "point(series, second, " STORE_SINK_COLUMNS ")"
enum { STORE_POINT_COLUMNS = 2 + STORE_SINK_VALUES };
void store_point_values(struct store *s, int64_t series, int64_t second,
    const struct sink *sink, struct engine_value *row);

#endif
