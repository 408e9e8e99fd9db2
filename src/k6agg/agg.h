/* SPDX-License-Identifier: MIT */
/* agg: one run of the filter, which hands each line to its stage. */
#ifndef K6PIPE_K6AGG_AGG_H
#define K6PIPE_K6AGG_AGG_H

#include <signal.h>

#include "data/judge.h"
#include "data/settings.h"
#include "k6agg/select/select.h"

struct options {
	struct settings settings;
	bool is_strict;
	bool is_quiet;
	bool is_merge;		/* one aggregate for each bucket and tag set */
	bool is_summary;	/* a table instead of lines */
	bool is_json;		/* the same as JSON */
	bool is_csv;		/* the same as CSV */
	bool is_diff;		/* two files are compared instead */
	double min_effect;	/* share: a smaller change is none; -1: unset */
	bool has_no_thresholds;	/* none is judged */
	struct opt_list thresholds;
	bool is_live;
	int64_t max_series;
	struct select_options selection;
	struct select *select;	/* of it; NULL: it asks for nothing */
	struct judge judge;	/* of thresholds */
};

/* A summary is wanted, in some form, or two to compare. */
static inline bool
options_ask_summary(const struct options *o)
{
	return o->is_summary || o->is_json || o->is_csv || o->is_diff;
}

/* Read the n files (none: stdin) and write to stdout until *stop is the number
 * of a signal that ends it; stdout is closed then. Returns the status to exit
 * with. */
int agg_run(struct options *o, char *const *files, int n,
    const volatile sig_atomic_t *stop);

#endif
