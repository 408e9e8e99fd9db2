/* SPDX-License-Identifier: MIT */
/* ending: lets the server end without waiting for a database that hangs. */
#ifndef K6PIPE_K6SERVE_ENDING_H
#define K6PIPE_K6SERVE_ENDING_H

#include "base/thread.h"
#include "k6serve/store/readers.h"
#include "k6serve/store/store.h"

/* Comes with what may wait for a database that is a server; NULL: none does. */
struct ending {
	struct store *stores[3];
	struct readers *readers;
	struct thread_turns turns;
	bool is_running;
};

/* The server was told to end: if it still has not after 10 s, abandon the
 * stores, and say so. e stays where it is until ending_stop. */
void ending_start(struct ending *e);

/* All threads that use the stores have ended; to be called before the stores
 * are closed, also if nothing was started. */
void ending_stop(struct ending *e);

#endif
