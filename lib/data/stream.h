/* SPDX-License-Identifier: MIT */
/*
 * stream: the NDJSON between the tools (k6stream(5)), one line at a time.
 *
 * k6's lines repeat: what stands before the time and behind the value of a
 * Point is the same for all points of a series. So the reader keys a series
 * by these raw bytes, parses them once in their life, and on each line only
 * the time and the value. The nine lines of a request follow each other in the
 * same order and carry the same time, so both are guessed from the line before
 * and only compared. Lines in another member order, or of another type,
 * take a general parser that gives the same result.
 */
#ifndef K6PIPE_DATA_STREAM_H
#define K6PIPE_DATA_STREAM_H

#include "base/map.h"
#include "base/mem.h"
#include "base/why.h"
#include "data/metric.h"
#include "data/tags.h"

/* One point of the stream; spans are borrowed from its line. */
struct point {
	const struct metric *metric;
	const struct tagset *tags;
	int64_t time_ns;
	double value;
	bool has_metadata;	/* which groups, and the cloud, do not heed */
	struct span line;
	const struct series *series;	/* of the stream; NULL: not kept */
	uint32_t time_at, value_at;	/* their text, from the line's start */
	uint32_t time_n, value_n;	/* (with a series only) */
};

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
};

/* What a reader knows of its stream. A zeroed struct is a new stream. */
struct stream {
	struct tags tags;
	struct metrics metrics;
	struct map series;	/* by raw bytes */
	struct series *last;	/* of the line before; NULL: not kept */
	char time_text[48];	/* of the line before, and what it says */
	size_t time_n;
	int64_t time_ns;
	struct buf key;		/* scratch */
};

void stream_release(struct stream *s);

/* Forget tag sets and series if there are more than so many sets, so that a
 * stream of ever new tags needs no more and more memory. Only while nobody
 * holds a point, a tag set or packed lines of the stream. */
void stream_trim(struct stream *s, uint32_t max_tag_sets);

/* Read one line (without '\n'). Spans in the result are borrowed from it.
 * Returns out->type. */
enum line_type stream_read(struct stream *s, struct span text,
    struct line *out, struct why *why);

/* Write a Metric line, with '\n'; thresholds and submetrics are JSON: "[]" and
 * "null" when there are none. */
void stream_print_metric(struct buf *out, const struct metric *m,
    struct span thresholds, struct span submetrics);

/* Write a Point line, with '\n', member for member as k6 does. */
void stream_print_point(struct buf *out, struct span metric, int64_t time_ns,
    double value, struct span tags_json);

/* The same in parts that points share: a line's head, which stream_print_head
 * writes once for each metric, a time as time_print writes it, a value as
 * num_print does; metadata is a JSON object, n 0: none. */
void stream_print_head(struct buf *out, struct span metric);
void stream_print_text(struct buf *out, struct span head, struct span time,
    struct span value, struct span tags_json, struct span metadata);

#endif
