/* SPDX-License-Identifier: MIT */
/*
 * verdicts: the thresholds of a run, judged here. k6 reports their results
 * when it finishes a run; by its newer API it does not, and neither does a
 * pusher of a shared run.
 */
#ifndef K6PIPE_K6SERVE_INGEST_VERDICTS_H
#define K6PIPE_K6SERVE_INGEST_VERDICTS_H

#include "base/buf.h"
#include "k6serve/http/call.h"
#include "k6serve/store/store_run.h"

/* Why the run was stopped, in k6's words, may name the metrics whose
 * thresholds were crossed: of those at least one has failed then. */
struct verdicts {
	struct span reason;	/* n 0: none */
	struct buf results;	/* out: JSON, metric -> {source: has failed} */
	int crossed;		/* out: how many have failed */
};

/* Judge the thresholds of the run of the path over all its data; percentiles
 * are as exact as histograms are. One that cannot be judged is omitted; all are
 * of a run without data. Results are owned by the caller. -1: why. */
int verdicts_judge(struct call *c, struct verdicts *v, struct why *why);

#endif
