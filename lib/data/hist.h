/* SPDX-License-Identifier: MIT */
/*
 * hist: k6's sparse histogram of non-negative values (PROTOCOL 5.5): buckets
 * of 0.001 up to 0.256, then 128 for each power of two, so that a percentile
 * is within 0.8 %. Two of them add up exactly. What k6 only counts, values
 * below 0, has a histogram of its own here, so that percentiles hold for them
 * too; on the wire and in the stream they are but counted.
 */
#ifndef K6PIPE_DATA_HIST_H
#define K6PIPE_DATA_HIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/why.h"
#include "data/jsn.h"

struct hist_bucket {
	uint32_t index;		/* PROTOCOL 5.5 */
	uint64_t count;		/* > 0 */
};

/* A zeroed struct is empty. */
struct hist {
	struct hist_bucket *buckets;	/* ascending by index; owned */
	size_t n, cap;
	uint16_t *guesses;	/* where the buckets of some indexes may stand;
				 * owned; NULL: not yet of use */
	uint64_t low;		/* values below 0 */
	struct hist *negative;	/* of them, as far as known, without their
				 * sign; owned; NULL: none */
	uint64_t high;		/* values past 2^63 * 0.001 */
	/* The wire's steps of 0.001 are coarse for a share or for seconds. With
	 * keeps_fine, hist_add counts values of 0..0.128 in finer ones too, so
	 * that percentiles are within 0.8 % down to 1e-6. */
	bool keeps_fine;
	struct hist *fine;	/* of them, as far as known, times 2^17; owned;
				 * NULL: none */
};

void hist_release(struct hist *h);

/* As hist_release, but for the memory, which stays. */
void hist_empty(struct hist *h);

/* Count a value `times` times. Trends of time hold milliseconds. */
void hist_add(struct hist *h, double value, uint64_t times);

/* Many values counted at once, faster than one by one: a place for each
 * bucket; those below 0 are but counted. A zeroed struct is empty. */
enum { HIST_INDEXES = 7297 };

struct hist_tally {
	uint32_t count[HIST_INDEXES];
	uint32_t first, end;		/* counts outside are 0 */
	uint64_t low, high;
};

void hist_tally_add(struct hist_tally *t, double value);

/* Add all that was counted to h; t is empty again. */
void hist_add_tally(struct hist *h, struct hist_tally *t);

/* Add all of from to h. */
void hist_merge(struct hist *h, const struct hist *from);

uint64_t hist_count(const struct hist *h);

/* How many are not greater than a value, those in the bucket of that value
 * among them. */
uint64_t hist_count_to(const struct hist *h, double value);

/* The value at p (0..1) by k6's rule, position p * (n - 1) with linear
 * interpolation between neighbours, kept within min..max of the data.
 * 0 when h is empty. */
double hist_quantile(const struct hist *h, double p, double min, double max);

/* The bucket index of a value; -1: low, -2: high. */
int64_t hist_index(double value);

/* Smallest and largest value that falls into a bucket. */
double hist_lower(uint32_t index);
double hist_upper(uint32_t index);

/* The run of neighbouring buckets from number first on: how many there are, and
 * *offset, by PROTOCOL 5.5: the gap behind the run before, or an index. */
size_t hist_span(const struct hist *h, size_t first, uint32_t *offset);

/* The member "counters" alone. */
void hist_print_counters(const struct hist *h, struct jsn_out *o);

/* As members "counters" and "spans" (pairs offset, length; a first offset is
 * an index, later ones are gaps), and "low", "high" unless 0, of an object
 * that the caller opened. hist_read takes one such member's value from j if
 * key names one, else says false. What it read is complete, and checked, only
 * after hist_read_end: -1 and why if counters and spans do not fit. */
void hist_print(const struct hist *h, struct jsn_out *o);

struct hist_reader {
	struct hist *to;
	uint64_t *counters;	/* owned */
	uint32_t *spans;	/* owned */
	size_t n_counters, n_spans, cap_counters, cap_spans;
};

bool hist_read(struct hist_reader *r, struct jsn *j, struct span key);
int hist_read_end(struct hist_reader *r, struct why *why);

/* Add counters, laid out over spans (pairs offset, length, as above), to h.
 * -1: they do not fit; h may hold some of them. */
int hist_fill(struct hist *h, const uint64_t *counters, size_t n_counters,
    const uint32_t *spans, size_t n_spans, struct why *why);

/* As bytes, for a database: varints of low, high, n and (gap, count) pairs;
 * then, if there is one, the same of the negative values' histogram, and behind
 * that, which is empty at least, the fine one. hist_decode adds to h; -1 when
 * the bytes are no such thing. */
void hist_encode(const struct hist *h, struct buf *out);
int hist_decode(struct hist *h, const void *bytes, size_t n);

#endif
