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
#include "k6agg/sink_ops.h"
#include "k6agg/summary/summary.h"

enum {
	BATCH = 128,		/* points taken at a time */
	METRIC_LINKS = 64,
};

struct agg {
	const struct options *options;
	const volatile sig_atomic_t *stop;
	const struct sink_ops *sink;	/* takes the input */
	const struct sink_ops *last;	/* behind the filter; or the same */
	struct sources sources;
	struct stream stream;
	struct folding folding;
	struct out out;
	struct books books;
	struct summary summary;		/* of summary_sink */
	struct select *select;		/* of filter_sink; borrowed */
	struct live live;
	struct buf selected;		/* scratch: lines */
	struct ahead *ahead;		/* NULL: not yet needed */
	struct metric_link { const struct metric *theirs, *ours; }
	    links[METRIC_LINKS];	/* of points that ahead prepared */
	struct point batch[BATCH];	/* scratch */
	struct buf last_line;		/* of an input without a newline */
	bool lacks_newline;		/* the point that is taken now */
};

/* Of filter_sink, for folding: write what is selected of lines that passed. */
void filter_folded(void *ctx, struct span lines, bool is_request);

#endif
