/* SPDX-License-Identifier: MIT */
/* agg_priv: one run of the filter, as its loop and its reader share it. */
#ifndef K6PIPE_K6AGG_AGG_PRIV_H
#define K6PIPE_K6AGG_AGG_PRIV_H

#include "data/stream.h"
#include "k6agg/agg.h"
#include "k6agg/books.h"
#include "k6agg/fold/fold_sink.h"
#include "k6agg/line_sink.h"
#include "k6agg/live.h"
#include "k6agg/read/ahead.h"
#include "k6agg/read/source.h"
#include "k6agg/select/filter_sink.h"
#include "k6agg/summary/summary_sink.h"
#include "k6agg/write/pass_sink.h"

enum {
	BATCH = 128,		/* points taken at a time */
	METRIC_LINKS = 64,
};

struct agg {
	const struct options *options;
	struct judge *judge;		/* of the options; NULL: none judges */
	const volatile sig_atomic_t *stop;
	struct line_sink *sink;		/* takes the input */
	struct line_sink *last;		/* behind the filter; or the same */
	struct pass_sink pass_sink;
	struct fold_sink fold_sink;
	struct summary_sink summary_sink;
	struct filter_sink filter_sink;
	struct sources sources;
	struct stream stream;
	struct folding folding;
	struct out out;
	struct books books;
	struct summary summary;
	struct live live;
	struct ahead *ahead;		/* NULL: not yet needed */
	struct metric_link { const struct metric *theirs, *ours; }
	    links[METRIC_LINKS];	/* of points that ahead prepared */
	struct point batch[BATCH];	/* scratch */
	struct buf last_line;		/* of an input without a newline */
};

/* A run that has not begun; free it. agg_read reads its inputs, and writes but
 * the summary of SUMMARY_NONE; it returns how that ended, an exit status. */
struct agg *agg_new(struct options *o, char *const *files, int n,
    const volatile sig_atomic_t *stop);
int agg_read(struct agg *agg);
void agg_free(struct agg *agg);		/* NULL is none */

#endif
