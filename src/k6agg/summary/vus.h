/* SPDX-License-Identifier: MIT */
/*
 * vus: the sum of a gauge that each of several generators writes, such as vus.
 * It keeps the last value of each second of each generator.
 */
#ifndef K6PIPE_K6AGG_SUMMARY_VUS_H
#define K6PIPE_K6AGG_SUMMARY_VUS_H

#include "data/sink.h"

/* One generator. */
struct vus_instance {
	char *id;		/* owned */
	int64_t first_s;	/* of at[0] */
	double *at;		/* owned; NAN: no value in this second */
	size_t n, cap;
};

/* A zeroed struct is empty. */
struct vus {
	struct vus_instance **list;	/* each owned, and where it stays */
	size_t n, cap;
};

void vus_release(struct vus *v);

/* The generator of that name, made at the first call. */
struct vus_instance *vus_instance(struct vus *v, struct span id);

void vus_add(struct vus_instance *i, double value, int64_t time_ns);

/* What all had together, second by second: from its first to its last value a
 * generator has the value that it had last. False: there are no two. */
bool vus_sum(const struct vus *v, struct sink *sum);

#endif
