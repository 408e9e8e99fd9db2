/* SPDX-License-Identifier: MIT */
/* report: what k6gen prints on stderr for people, in k6's words. */
#ifndef K6PIPE_K6GEN_REPORT_REPORT_H
#define K6PIPE_K6GEN_REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "k6gen/plan.h"
#include "k6gen/report/summary.h"

/* How far a run is. */
struct progress {
	int64_t elapsed_ns;	/* since the first iteration began */
	int active;		/* VUs that are not done */
	int64_t stalled_ns;	/* that stdout held up the load */
	bool is_over, is_interrupted;
};

enum { REPORT_RATES = 24 };	/* seconds of the live view's history */

struct report {
	const struct plan *plan;
	bool is_quiet;		/* nothing but warnings */
	bool is_brief;		/* no summary at the end */
	bool has_histogram;	/* in the summary */
	const char *export_path;	/* of --summary-export; NULL: none */
	bool is_redrawn;	/* progress is some lines of a terminal */
	bool has_color;
	int columns;		/* of a terminal; 0: stderr is none */
	int64_t next_ns;	/* elapsed time of the next progress */
	int drawn;		/* lines that are redrawn */
	double rates[REPORT_RATES];	/* requests a second, the last last */
	int64_t rate_ns;	/* elapsed time of the last */
	int64_t requests;	/* up to then */
	/* The worst of the generator, to be told at the end. */
	double cpu_percent;
	int n_busy;		/* seconds at the limit */
	int64_t lag_ns;
};

/* None of these can fail, but for the export: what stderr does not take is
 * lost. */

/* Say what will be run. The plan is borrowed until report_end; is_quiet,
 * is_brief, has_histogram and export_path are the caller's to set before. */
void report_start(struct report *r, const struct plan *plan);

/* Note how the generator did in a second, or in the last part of one. */
void report_second(struct report *r, double cpu_percent, int64_t lag_ns);

/* Show p if it is time to: five times a second on a terminal, else every five
 * seconds. */
void report_progress(struct report *r, const struct progress *p,
    const struct tally *t);

/* A signal came: say that the run ends, and what a second one does. */
void report_stopping(struct report *r);

/* Show how it ended, and the summary; write the export. -1: why, that could
 * not be written. */
int report_end(struct report *r, const struct progress *p,
    const struct summary *s, struct why *why);

#endif
