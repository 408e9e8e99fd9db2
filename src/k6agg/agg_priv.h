/* SPDX-License-Identifier: MIT */
/* agg_priv: what the parts of one run of the filter share. */
#ifndef K6PIPE_K6AGG_AGG_PRIV_H
#define K6PIPE_K6AGG_AGG_PRIV_H

#include "data/stream.h"
#include "k6agg/agg.h"
#include "k6agg/books.h"
#include "k6agg/fold/fold.h"
#include "k6agg/live.h"
#include "k6agg/read/ahead.h"
#include "k6agg/read/source.h"
#include "k6agg/summary/summary.h"

enum {
	BATCH = 128,		/* points taken at a time */
	METRIC_LINKS = 64,
};

struct agg {
	const struct options *options;
	const volatile sig_atomic_t *stop;
	struct sources sources;
	struct stream stream;
	struct folding folding;
	struct out out;
	struct books books;
	struct summary *summary;	/* NULL: lines are written */
	struct select *select;		/* NULL: all is kept as it is */
	struct live live;
	struct buf selected;		/* scratch: lines */
	struct ahead *ahead;		/* NULL: not yet needed */
	struct metric_link { const struct metric *theirs, *ours; }
	    links[METRIC_LINKS];	/* of points that ahead prepared */
	struct point batch[BATCH];	/* scratch */
	struct buf last_line;		/* of an input without a newline */
};

/* With the books on stderr and in a trailer of our own. */
static inline bool
has_books(const struct agg *agg)
{
	return folding_is_on(&agg->folding) || agg->options->is_merge;
}

#endif
