/* SPDX-License-Identifier: MIT */
/*
 * sample: what the cloud's metrics protocol v1 carries (PROTOCOL 3.3), to
 * JSON and back. k6agg's AggregatedPoints line is such a sample too.
 */
#ifndef K6PIPE_DATA_SAMPLE_H
#define K6PIPE_DATA_SAMPLE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/why.h"
#include "data/aggregate.h"
#include "data/metric.h"
#include "data/sink.h"
#include "data/trail.h"

enum sample_kind { SAMPLE_POINT, SAMPLE_TRAIL, SAMPLE_NET, SAMPLE_AGGREGATE };

struct sample {
	enum sample_kind kind;
	/* SAMPLE_POINT: */
	struct span metric;
	enum metric_type type;
	const struct tagset *tags;
	int64_t time_ns;
	double value;
	/* the others: */
	const struct trail *trail;
	const struct net_trail *net;
	const struct aggregate *aggregate;
};

/* NDJSON points that a sample stands for: 1; 8 or 9 for each request; the
 * values of a net trail. */
uint64_t sample_points(const struct sample *s);

/* HTTP requests that a point of this metric and value stands for. */
int64_t point_requests(struct span metric, double value);

/* HTTP requests that a sample stands for. */
uint64_t sample_requests(const struct sample *s);

/*
 * A sample as values of the metrics that it stands for: each goes to the sink
 * that place gives, which must not be NULL, of the series and time asked for.
 * An aggregate without histogram is spread as its min, avg and max allow.
 */
struct sample_series {
	struct span metric;
	enum metric_type type;
	const struct tagset *tags;
	int64_t time_ns;
};

typedef struct sink *sample_place(void *ctx, const struct sample_series *at);

void sample_sink(const struct sample *s, sample_place *place, void *ctx);

/* Append one sample's JSON. Times go out in whole microseconds. `hist` and
 * `period` of an aggregate are omitted unless with_hist. */
void sample_print(const struct sample *s, bool with_hist, struct buf *out);

/*
 * Read a body: a JSON array of samples (sample_parse_all) or the one that the
 * cursor stands at (sample_parse). Each is handed to `each` and dies when that
 * returns; a return other than 0 ends the reading with that value. Tag sets
 * come from tags. -1: not such JSON, why says where.
 */
typedef int sample_each(void *ctx, const struct sample *s);

/*
 * The same of a body that comes in pieces: a window onto it is read as far as
 * its samples are whole, *used bytes of it; the rest, with more behind it, is
 * the next window. With is_last the body must end where the window ends.
 */
struct sample_reader {
	struct tags *tags;
	sample_each *each;
	void *ctx;
	/* -- of the reader, zeroed at first: */
	enum { READER_BEFORE, READER_FIRST, READER_INSIDE, READER_OVER } at;
	size_t read;		/* bytes before the window */
};

int sample_feed(struct sample_reader *r, struct span window, bool is_last,
    size_t *used, struct why *why);

int sample_parse_all(struct span body, struct tags *tags, sample_each *each,
    void *ctx, struct why *why);
int sample_parse(struct jsn *j, struct tags *tags, sample_each *each,
    void *ctx, struct why *why);

#endif
