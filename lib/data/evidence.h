/* SPDX-License-Identifier: MIT */
/*
 * evidence: how sure is it that a figure of one run differs from that of
 * others? Slots of a run are not independent: a burst or a slow moment spans
 * several. So the course of a run is cut into blocks of neighbouring slots, and
 * as many blocks are drawn from it, some of them twice (a block bootstrap). How
 * the figure varies over many such draws is its error. Two runs of the same
 * length are drawn alike, block by block, so that what both have, a warm-up or
 * a ramp, does not count as noise.
 *
 * The numbers are drawn from a fixed seed: the same runs give the same result.
 */
#ifndef K6PIPE_DATA_EVIDENCE_H
#define K6PIPE_DATA_EVIDENCE_H

#include "data/course.h"

enum statistic_kind {
	STATISTIC_RATE,		/* the sum of the values, per second */
	STATISTIC_SHARE,	/* of values that are not 0 */
	STATISTIC_QUANTILE,
};

struct statistic {
	enum statistic_kind kind;
	double p;		/* of a quantile, 0..1 */
};

/* One run: its course, and its figure over all of it, which is finite. */
struct evidence_run {
	const struct course *course;
	double value;
	double count;		/* values that a share is of */
};

/* What is compared: the runs of a baseline with one run. */
struct evidence_of {
	struct statistic statistic;
	const struct evidence_run *base;
	size_t n_base;			/* 1 or more */
	struct evidence_run run;
};

/* The change is a share of the base (0.1: 10 % more), that of a share a
 * difference. */
struct evidence {
	bool is_known;		/* false: too little data, the rest is NAN */
	double p;		/* of so large a change, if nothing changed */
	double low, high;	/* where the change is, by 95 % */
};

struct evidence evidence_find(const struct evidence_of *of);

/* Are there enough slots, and values for such a quantile? Shares need none. */
bool evidence_suffices(const struct course *c, struct statistic s);

/* Holm's rule for n questions that are asked at once: n_p of them have the
 * chances p, the others 1. Each becomes the chance of at least one false answer
 * among all of them. */
void evidence_adjust(double *const *p, size_t n_p, size_t n);

/* The chance that Student's t with this many degrees of freedom is further from
 * 0 than t. */
double evidence_student(double t, double freedom);

#endif
