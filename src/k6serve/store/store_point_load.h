/* SPDX-License-Identifier: MIT */
/* store_point_load: writes many points at once. */
#ifndef K6PIPE_K6SERVE_STORE_STORE_POINT_LOAD_H
#define K6PIPE_K6SERVE_STORE_STORE_POINT_LOAD_H

#include "k6serve/store/store_priv.h"

/* Points that are not there are written, within a transaction; the store is
 * used for nothing else until the end. -1: why; begin has no end
 * then. */
struct store_point_load {
	struct store *s;
	struct engine_load *load;
};
int store_point_load_begin(struct store_point_load *l, struct store *s,
    struct why *why);
int store_point_load(struct store_point_load *l, int64_t series,
    int64_t second, const struct sink *sink, struct why *why);
int store_point_load_end(struct store_point_load *l, struct why *why);

#endif
