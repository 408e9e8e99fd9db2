/* SPDX-License-Identifier: MIT */
/* retry: the pauses between the tries of a call. */
#ifndef K6PIPE_K6PUSH_SEND_RETRY_H
#define K6PIPE_K6PUSH_SEND_RETRY_H

#include <stdint.h>

/* For a server that a person must put right, so many failures are added:
 * nothing changes in half a second. */
enum { HOLD_FAILURES = 4 };

/* Pause in ns after the n-th failure in a row (1 is the first): 0.5 s, doubled
 * up to 5 s, by up to a half shorter at random; or what the server asked for
 * (retry_after_ns, -1: nothing), up to 30 s. */
int64_t retry_pause_ns(int failures, int64_t retry_after_ns);

#endif
