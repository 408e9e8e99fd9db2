/* SPDX-License-Identifier: MIT */
/*
 * remote: series as Prometheus' remote write 1.0 carries them: names and
 * labels that receivers take, and the message WriteRequest, written and read.
 */
#ifndef K6PIPE_DATA_REMOTE_H
#define K6PIPE_DATA_REMOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/why.h"
#include "data/pb.h"

enum {	/* fields: of WriteRequest, and of TimeSeries */
	REMOTE_SERIES = 1,
	REMOTE_LABEL = 1, REMOTE_SAMPLE, REMOTE_HISTOGRAM = 4,
};

/* The longest name and value that every receiver takes, in bytes. */
enum { REMOTE_NAME_MAX = 1024, REMOTE_VALUE_MAX = 2048 };

struct remote_label {
	struct span name, value;
};

/* Labels, encoded, in the order of their names. */
struct remote_labels {
	struct span bytes;	/* borrowed */
	size_t name_at;		/* where the name of a metric belongs */
};

/*
 * Append the labels of n pairs, which come out in another order. Names are made
 * valid, values valid UTF-8, both not too long; what is empty is left away, of
 * equal names the first counts. The result's bytes are those of out.
 */
struct remote_labels remote_labels_make(struct remote_label *pairs, size_t n,
    struct buf *out);

/* Append a metric's name: k6_NAME, made valid. */
void remote_name(struct span metric, struct buf *out);

/* Write a series' labels in front of what out holds. extra has the one more
 * label of a bucket; its name is empty if there is none. */
void remote_put_labels(const struct remote_labels *labels, struct span name,
    const struct remote_label *extra, struct pb_out *out);

/* Write a sample of a series, which began at start_ms; 0: that is not told.
 * Only version 2.0 tells; receivers of 1.0 skip it. */
void remote_put_sample(double value, int64_t time_ms, int64_t start_ms,
    struct pb_out *out);

/* The value that says that a series goes on no more. */
double remote_stale(void);
bool remote_is_stale(double value);

/* Read a label, a sample. A damaged one sets r's error. */
struct remote_label remote_read_label(struct pb *r, const struct pb_field *f);
double remote_read_sample(struct pb *r, const struct pb_field *f,
    int64_t *time_ms, int64_t *start_ms);

/* What a TimeSeries is of: its name, and its labels without it, which are
 * appended to out. -1: it is damaged. */
int remote_read_labels(struct span series, struct span *name,
    struct remote_labels *labels, struct buf *out, struct why *why);

/* Append a TimeSeries as JSON, one line. -1: it is damaged. */
int remote_print(struct span series, struct buf *out, struct why *why);

#endif
