/* SPDX-License-Identifier: MIT */
/* dispatch: hands each line of the input to the sink, by its type. */
#ifndef K6PIPE_K6AGG_READ_DISPATCH_H
#define K6PIPE_K6AGG_READ_DISPATCH_H

#include "k6agg/agg_priv.h"
#include "k6agg/read/prepare.h"

/* Take one line. -1: it is bad and --strict was given. */
int dispatch_line(struct agg *agg, struct span text);

/* Count a line that is not taken. -1: --strict makes it fatal. */
int dispatch_refused(struct agg *agg, struct span text, const char *why);

/* The same of one that is too long. */
int dispatch_long(struct agg *agg);

/* Take the points that come next and whose frames are known; false: none.
 * Inputs that are read side by side are compared after each of them. */
bool dispatch_framed(struct agg *agg, struct lines *in);

/* Take what was prepared of the file; it begins where all before it ends. */
void dispatch_prepared(struct agg *agg, const struct prepared *p);

#endif
