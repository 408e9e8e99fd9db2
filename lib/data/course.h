/* SPDX-License-Identifier: MIT */
/*
 * course: the values of a metric over the time of a run, in at most
 * COURSE_SLOTS slots of equal length. A longer run has longer slots.
 */
#ifndef K6PIPE_DATA_COURSE_H
#define K6PIPE_DATA_COURSE_H

#include "data/sink.h"

enum { COURSE_SLOTS = 128 };

/* A zeroed struct with a type is empty. Times are multiples of step_ns since
 * 1970. */
struct course {
	enum metric_type type;
	int64_t step_ns;	/* length of a slot */
	int64_t first;		/* the first slot begins at first * step_ns */
	struct sink *slots;	/* owned; some may be empty */
	size_t n, cap;
};

void course_release(struct course *c);

/* The sink for values of that time, which lasts until the next call. What
 * comes in buckets has their length, period_ns, so that no slot is shorter; 0:
 * each value has its own time. */
struct sink *course_at(struct course *c, int64_t time_ns, int64_t period_ns);

/* Add all of from. */
void course_merge(struct course *c, const struct course *from);

/* How many slots have values. */
size_t course_filled(const struct course *c);

#endif
