/* SPDX-License-Identifier: MIT */
/*
 * select: what is passed on: points kept or dropped by metric and tags, tags
 * dropped, names and URLs grouped. Decided once for each series.
 */
#ifndef K6PIPE_K6AGG_SELECT_SELECT_H
#define K6PIPE_K6AGG_SELECT_SELECT_H

#include "base/opt.h"
#include "data/stream.h"

struct select_options {
	struct opt_list keep, drop, drop_tag, group;
};

struct select;

/* NULL: why says which option is wrong. Texts are borrowed. */
struct select *select_new(const struct select_options *o, struct why *why);
void select_free(struct select *s);

/* True if any option was given. */
bool select_is_asked(const struct select_options *o);

struct selected {
	bool is_kept;			/* the point's line */
	bool is_request_kept;		/* a line of the same request */
	bool is_changed;		/* tags are not those of the input */
	const struct tagset *tags;	/* owned by the select */
};

/* What becomes of a point, or of an aggregate with these tags, or of a request
 * that may have them (is_kept says nothing there). Good until the next call. */
const struct selected *select_point(struct select *s, const struct point *p);
const struct selected *select_tags(struct select *s,
    const struct tagset *tags);
const struct selected *select_aggregate(struct select *s,
    const struct tagset *tags);

/* Tell on stderr of each option that matched no point and no aggregate. */
void select_tell_unused(const struct select *s);

/* True if the Metric line passes: some point of the metric might. */
bool select_metric(const struct select *s, struct span name);

/* Append the point's line with the selected tags, and '\n', to out. */
void select_print(const struct point *p, const struct selected *selected,
    struct buf *out);

/* Forget all tag sets of the stream, which are about to be freed, and our own
 * if they are more than max. Only while nobody holds one. */
void select_trim(struct select *s, uint32_t max);

#endif
