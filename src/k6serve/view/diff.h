/* SPDX-License-Identifier: MIT */
/*
 * diff: compares a run with another one, or with a baseline: the last runs of
 * its name that passed.
 */
#ifndef K6PIPE_K6SERVE_VIEW_DIFF_H
#define K6PIPE_K6SERVE_VIEW_DIFF_H

#include "data/compare.h"
#include "k6serve/view/group.h"
#include "k6serve/view/report.h"

/* One of the runs. */
struct diff_run {
	struct view view;
	char *name;		/* owned */
	bool is_empty;		/* no sample of it came */
	struct groups by_name;	/* its requests, by name and method */
};

/* A zeroed struct is empty. The runs of the base, the newest first, and then
 * the run itself. */
struct diff {
	size_t n_base;
	struct diff_run *runs;		/* owned */
	struct figures *figures;	/* owned */
	struct comparison comparison;
};

/* Compare v->run with v->base or, if that is 0, with what baseline_find finds.
 * 1; 0: one of the runs is not there, or the baseline has none (n_base is 0);
 * -1: why. Release it in each case. */
int diff_read(struct diff *d, const struct view *v, struct why *why);
void diff_release(struct diff *d);

/* Append it in a form: text, json, junit, markdown or github. 0, or -1: why. */
int diff_print(const struct diff *d, enum report_format format,
    struct buf *out, struct why *why);

/* Write it as one JSON value. 0, or -1: why. */
int diff_put(const struct diff *d, struct jsn_out *o, struct why *why);

/* The same of a run that has no base. */
void diff_put_none(struct jsn_out *o);

#endif
