/* SPDX-License-Identifier: MIT */
/*
 * trouble: failures of the database are told on standard error, once when they
 * begin, and once when they are over. The answers do not say them in full, and
 * for much work nobody waits for an answer.
 */
#ifndef K6PIPE_K6SERVE_TROUBLE_H
#define K6PIPE_K6SERVE_TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"

/* Of one kind of requests or work. Zeroed at first; of one thread. All times
 * are of the monotonic clock. */
struct trouble {
	uint64_t n;		/* failures since it began; 0: none */
	int64_t since_ns, failed_ns;	/* the first of them, the last */
	bool is_told;
	int64_t told_ns;
	struct why cause;	/* that was told */
};

/* A request failed for that cause ("": no connection), and gets the status.
 * This is told at once; again when there is another cause, and each minute
 * while it lasts. kind: "reads". */
void trouble_refuse(struct trouble *t, const char *kind, const char *cause,
    int status, int64_t now_ns);

/* One was answered: it is over when none has failed for 10 seconds, as some
 * may be answered in between. */
void trouble_answer(struct trouble *t, const char *kind, int64_t now_ns);

/* Work that nobody waits for was done (status 0 or more), or failed: why. This
 * is told once, after 10 seconds of it; it is over when the work is done. what
 * names it, as the subject of a sentence, singular. */
void trouble_work(struct trouble *t, const char *what, int status,
    const struct why *why, int64_t now_ns);

#endif
