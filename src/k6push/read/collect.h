/* SPDX-License-Identifier: MIT */
/* collect: lines of the stream in, samples of the wire out. */
#ifndef K6PIPE_K6PUSH_READ_COLLECT_H
#define K6PIPE_K6PUSH_READ_COLLECT_H

#include <stdint.h>

#include "base/lines.h"
#include "base/why.h"
#include "data/judge.h"
#include "data/run.h"
#include "data/sample.h"
#include "data/stream.h"
#include "k6push/read/instance_label.h"

/* Takes the values of a protocol that carries series, not samples. */
struct by_series {
	void *ctx;
	void (*point)(void *ctx, const struct point *p);
	void (*sample)(void *ctx, const struct sample *s, struct span line);
	void (*metric)(void *ctx, struct span line);	/* its type is told */
	void (*forget_tags)(void *ctx);	/* tag sets are to be freed */
};

/* What the stream told about the run, and the books of what came. */
struct collector {
	struct stream stream;
	struct trails trails;
	sample_each *each;	/* gets every sample, unless series do */
	void *ctx;
	struct instance_label label;	/* put on every sample */
	struct judge *judge;	/* gathers and judges thresholds; or NULL */
	const struct by_series *series;	/* takes them; or NULL */
	struct span line;	/* the one in work */
	struct run_start start;	/* of the first Start */
	struct buf start_text, start_json;	/* what start points to */
	struct run_ends ends;	/* all trailers */
	struct run_cuts cuts;	/* inputs that lack one, or a Start */
	const char *input;	/* that is read, borrowed; or NULL */
	int starts;
	int64_t first_ns, last_ns;	/* times of samples; 0: none */
	uint64_t points;	/* Point lines, or what aggregates stand for */
	uint64_t requests;	/* of them, http_reqs */
	struct buf held;	/* a point's line, not yet taken */
	bool is_holding;
	bool has_progress;	/* k6's progress is among the lines: told */
};

void collector_release(struct collector *c);

/* Take one line. Samples that are complete go to `each`. -1: the line is bad,
 * why says how. */
int collector_line(struct collector *c, struct span text, struct why *why);

/* Take the whole lines that are in memory; count and show bad ones. */
void collector_take(struct collector *c, struct lines *in,
    struct bad_lines *bad);

/* The same up to the line with which the start of the stream is known: its
 * Start, or else its first point, which is taken the next time. */
void collector_take_head(struct collector *c, struct lines *in,
    struct bad_lines *bad);
bool collector_has_head(const struct collector *c);

/* Free the tag sets that nothing needs, if they are many. Call it between two
 * reads. */
void collector_trim(struct collector *c);

/* No more lines: hand out what was held back. */
void collector_end(struct collector *c);

/* After that: tell of a stream that was cut, and of metrics whose type it did
 * not tell, which are sent as trends; that loses nothing. */
void collector_tell(const struct collector *c);

#endif
