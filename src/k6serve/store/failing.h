/* SPDX-License-Identifier: MIT */
/*
 * failing: work that needs the database and nobody waits for. If it fails for
 * long, standard error says so once, and again when it goes on.
 */
#ifndef K6PIPE_K6SERVE_STORE_FAILING_H
#define K6PIPE_K6SERVE_STORE_FAILING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"

/* Of one kind of work. Zeroed at first; of one thread. */
struct failing {
	int64_t since_ns;	/* monotonic; 0: it does not */
	bool is_told;
};

/* The work was done (status 0 or more), or failed: why. what names it, as the
 * subject of a sentence, singular. */
void failing_note(struct failing *f, int status, const char *what,
    const struct why *why);

#endif
