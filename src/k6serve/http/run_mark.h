/* SPDX-License-Identifier: MIT */
/* run_mark: which run of which database a client means (PROTOCOL 3.8). The
 * number alone may be another run's, if the database was replaced, or restored
 * from a copy that lacks the run. */
#ifndef K6PIPE_K6SERVE_HTTP_RUN_MARK_H
#define K6PIPE_K6SERVE_HTTP_RUN_MARK_H

#include "base/buf.h"
#include "k6serve/store/store.h"

/* Append the mark of a run that owner sees: hexadecimal digits. STORE_DONE, or
 * as store_run_key. */
enum store_result run_mark_put(struct store *s, const char *owner,
    int64_t run, struct buf *out, struct why *why);

/* May it be the mark of a run of this database? */
bool run_mark_is_here(const struct store *s, const char *mark);

/* Is it the mark of this run? STORE_DONE; STORE_CONFLICT: it is that of another
 * one; or as store_run_key. */
enum store_result run_mark_check(struct store *s, const char *owner,
    int64_t run, const char *mark, struct why *why);

#endif
