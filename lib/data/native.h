/* SPDX-License-Identifier: MIT */
/*
 * native: Prometheus' native histogram. With schema s, bucket k holds values
 * of b^(k-1) to b^k, its upper end included, where b = 2^(2^-s). Two of one
 * schema add up exactly, also in the receiver, by sum().
 */
#ifndef K6PIPE_DATA_NATIVE_H
#define K6PIPE_DATA_NATIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"
#include "data/hist.h"
#include "data/pb.h"

/* What receivers take without harm: with 9 and more, Prometheus 2.42 answers
 * well and then fails at each query. Of 3, a bucket is 9 % of its value, of 6
 * 1.1 %. */
enum { NATIVE_LEAST = 3, NATIVE_MOST = 8 };

/* The bounds of a schema, computed once for all histograms of it. */
struct native_scale {
	int schema;
	uint16_t first[1025];	/* by the highest bits of a fraction */
	double bounds[(1 << NATIVE_MOST) + 1];	/* of fractions 0.5 to 1 */
};

struct native_bucket {
	int32_t index;
	uint64_t count;		/* > 0 */
};

struct native_side {
	struct native_bucket *v;	/* ascending by index; owned */
	uint32_t n, cap;
};

/* A zeroed struct is empty. */
struct native {
	uint64_t count;		/* of all values */
	uint64_t zero;		/* of those that are 0 */
	struct native_side positive, negative;	/* the latter by size */
};

void native_scale_init(struct native_scale *scale, int schema);
void native_release(struct native *h);

/* Count a value `times` times. One that is not a number is none. */
void native_add(struct native *h, const struct native_scale *scale,
    double value, uint64_t times);

/* Count what another histogram holds, each bucket at its middle, times
 * factor. */
void native_add_hist(struct native *h, const struct native_scale *scale,
    const struct hist *from, double factor);

/* The upper end of bucket k. */
double native_upper(int schema, int32_t index);

/* The value at p (0..1), interpolated as in k6: at p * (n - 1); within
 * min..max. 0 when h is empty. */
double native_quantile(const struct native *h, int schema, double p,
    double min, double max);

/* Write the fields of the message Histogram in front of what out holds; 0: its
 * start is not told. */
void native_encode(const struct native *h, int schema, double sum,
    int64_t time_ms, int64_t start_ms, struct pb_out *out);

/* A message Histogram. */
struct native_sample {
	struct native hist;	/* owned */
	int schema;
	double sum;
	int64_t time_ms, start_ms;
};

/* Read one, of whole counts. -1: it is no such message; nothing is owned. */
int native_parse(struct native_sample *s, struct span message,
    struct why *why);

#endif
