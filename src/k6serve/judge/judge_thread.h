/* SPDX-License-Identifier: MIT */
/*
 * judge_thread: every 2 s, as k6 does, the thresholds of runs that changed are
 * judged. The thread reads with a store of its own; the writer's thread writes
 * what it finds.
 */
#ifndef K6PIPE_K6SERVE_JUDGE_JUDGE_THREAD_H
#define K6PIPE_K6SERVE_JUDGE_JUDGE_THREAD_H

#include "k6serve/store/writer.h"

struct judge_thread;

/* Only the thread may use the store until judge_thread_stop. NULL: why. */
struct judge_thread *judge_thread_start(struct store *store,
    struct writer *writer, struct why *why);

/* End the thread, before the writer is stopped; free. NULL is allowed. */
void judge_thread_stop(struct judge_thread *t);

#endif
