/* SPDX-License-Identifier: MIT */
/* report: what k6gen tells a person, on stderr, in k6's words. */
#ifndef K6PIPE_K6GEN_REPORT_H
#define K6PIPE_K6GEN_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "k6gen/emit.h"
#include "k6gen/plan.h"

/* How far a run is. */
struct progress {
	int64_t elapsed_ns;	/* since the first iteration began */
	int64_t begun, complete, interrupted;	/* iterations */
	int active;		/* VUs that are not done */
	bool is_stopping;	/* by a signal */
};

struct report {
	const struct plan *plan;
	bool is_quiet;		/* nothing but warnings */
	bool is_brief;		/* no summary at the end */
	bool is_redrawn;	/* progress is one line of a terminal */
	int64_t next_ns;	/* elapsed time of the next progress */
};

/* None of these can fail: what stderr does not take is lost. */

/* Say what will be run. Sets all of r but is_quiet and is_brief, which are
 * the caller's to set; the plan is borrowed until report_end. */
void report_start(struct report *r, const struct plan *plan);

/* Show p if it is time to: each second on a terminal, else every five. */
void report_progress(struct report *r, const struct progress *p);

/* A signal came: say that the run ends, and what a second one does. */
void report_stopping(struct report *r);

/* Show how it ended, and the summary. */
void report_end(struct report *r, const struct progress *p,
    const struct emit *e);

#endif
