/* SPDX-License-Identifier: MIT */
/*
 * stream: the NDJSON between the tools (k6stream(5)), one line at a time.
 *
 * k6's lines repeat: a Point whose frame (data/frame.h) was seen before costs
 * little more than comparing bytes. Lines in another member order, or of
 * another type, take a general parser that gives the same result.
 */
#ifndef K6PIPE_DATA_STREAM_H
#define K6PIPE_DATA_STREAM_H

#include "base/mem.h"
#include "base/why.h"
#include "data/frame.h"
#include "data/metric.h"
#include "data/tags.h"

enum line_type {
	LINE_POINT,		/* point is filled in; data is of no use */
	LINE_METRIC,		/* the metric is declared now */
	LINE_START,		/* data: raw JSON of the header */
	LINE_END,		/* data: raw JSON of the trailer */
	LINE_AGGREGATED,	/* the whole line is a sample */
	LINE_OTHER,		/* JSON of a type that is not known */
	LINE_BLANK,		/* nothing but white space */
	LINE_BAD,		/* why says what is wrong */
};

struct line {
	enum line_type type;
	struct point point;
	struct span data;
	/* Of LINE_METRIC: the metric; and whether it is no trend, for which its
	 * points were taken that came before. */
	const struct metric *metric;
	bool is_late;
};

/* What a reader knows of its stream. A zeroed struct is a new stream. */
struct stream {
	struct tags tags;
	struct metrics metrics;
	struct frames frames;
	struct buf key, type;	/* scratch */
};

/* Past so many tag sets the tools forget those that nothing holds. */
enum { STREAM_TAG_SETS = 20000 };

void stream_release(struct stream *s);

/* Forget tag sets and frames if there are more than so many sets, so that a
 * stream of ever new tags needs no more and more memory. Points that were read
 * before are good no longer, but for tails and sets that somebody holds. */
void stream_trim(struct stream *s, uint32_t max_tag_sets);

/* Read points from the start of text, at most max, as long as their lines are
 * whole, each with its '\n', and their frames known. Returns how many; *bytes
 * is the length of their lines. What stops it is for stream_read. */
int stream_points(struct stream *s, struct span text, struct point *out,
    int max, size_t *bytes);

/* Read one line (without '\n'). Spans in the result are borrowed from it.
 * Returns out->type. */
enum line_type stream_read(struct stream *s, struct span text,
    struct line *out, struct why *why);

/* Append what is to be told of metrics that are not k6's own, and had points
 * without a Metric line before them: how many they are, and the first names.
 * False: there are none. */
bool stream_tell_untyped(const struct stream *s, struct buf *out);

/* Write a Metric line, with '\n'; thresholds and submetrics are JSON: "[]" and
 * "null" when there are none. */
void stream_print_metric(struct buf *out, const struct metric *m,
    struct span thresholds, struct span submetrics);

/* Write a Point line, with '\n', member for member as k6 does. */
void stream_print_point(struct buf *out, struct span metric, int64_t time_ns,
    double value, struct span tags_json);

/* The same in parts that points share: a line's head, which stream_print_head
 * writes once for each metric, a time as time_print writes it, a value as
 * num_print does, both where they wrote it (of which more is read, and
 * dropped); metadata is a JSON object, n 0: none. */
void stream_print_head(struct buf *out, struct span metric);
void stream_print_text(struct buf *out, struct span head, struct span time,
    struct span value, struct span tags_json, struct span metadata);

#endif
