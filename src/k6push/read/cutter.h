/* SPDX-License-Identifier: MIT */
/* cutter: what the reader needs from a maker of batches of series. */
#ifndef K6PIPE_K6PUSH_READ_CUTTER_H
#define K6PIPE_K6PUSH_READ_CUTTER_H

#include "base/why.h"
#include "k6push/wire/batch.h"

struct cutter {
	void *ctx;

	/* Bring the lines to the journal. -1: the disk does not take them;
	 * they wait, and it may be tried again. */
	int (*keep)(void *ctx, struct why *why);

	/* Hand the batches that are due, or at the end all, to the packer. */
	void (*take)(void *ctx, bool is_all);

	/* Throw all away; its amount is added to lost. */
	void (*drop)(void *ctx, struct amount *lost);
};

#endif
