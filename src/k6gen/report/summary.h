/* SPDX-License-Identifier: MIT */
/* summary: how a run ended, in k6's layout, or as its JSON export. */
#ifndef K6PIPE_K6GEN_REPORT_SUMMARY_H
#define K6PIPE_K6GEN_REPORT_SUMMARY_H

#include <stdbool.h>

#include "base/buf.h"
#include "k6gen/tally.h"

struct summary {
	const struct tally *tally;
	double seconds;		/* of the run, for rates */
	const bool *failed;	/* as the plan's thresholds */
	bool has_color;
	bool has_histogram;	/* of http_req_duration */
	int columns;		/* of the terminal; 0: lines are as long as they
				   come */
};

/* Append it as text for people. */
void summary_print(const struct summary *s, struct buf *out);

/* Append it as k6's --summary-export has it. */
void summary_export(const struct summary *s, struct buf *out);

#endif
