/* SPDX-License-Identifier: MIT */
/* store_bulk_priv: what store_bulk's .c files share. */
#ifndef K6PIPE_K6SERVE_STORE_STORE_BULK_PRIV_H
#define K6PIPE_K6SERVE_STORE_STORE_BULK_PRIV_H

#include "k6serve/store/store_bulk.h"

/* What is known of a row's tag set and series; 0: the run does not have it. */
struct bulk_known {
	int64_t tagset, series;
	struct sink total;
};

struct bulk_point {
	int64_t series, second;
	struct sink sink;
	bool is_there;		/* already, and to be replaced */
};

struct bulk_total {
	int64_t series;
	struct sink sink;
};

struct bulk_tagset {
	int64_t id;
	struct span json;	/* of the batch */
};

struct bulk_series {
	int64_t id, tagset;
	const struct store_row *row;	/* its first */
	struct sink total;
};

#endif
