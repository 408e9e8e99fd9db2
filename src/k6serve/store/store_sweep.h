/* SPDX-License-Identifier: MIT */
/* store_sweep: deletes the data of removed runs, in small portions. */
#ifndef K6PIPE_K6SERVE_STORE_STORE_SWEEP_H
#define K6PIPE_K6SERVE_STORE_STORE_SWEEP_H

#include "k6serve/store/store.h"

/* Delete data of removed runs in one transaction, until there is no more or
 * the monotonic clock passes until_ns. A removed run is not there for anybody,
 * whether its data is or not; what the process leaves undone the next one does.
 * 1: there is more; 0: there is none; -1: why. */
int store_sweep(struct store *s, int64_t until_ns, struct why *why);

/* Look again for runs that others removed; forget what is of no use to them any
 * more. */
void store_sweep_all(struct store *s);

/* Is there data of removed runs, as far as this store knows? */
bool store_has_rest(const struct store *s);

#endif
