/* SPDX-License-Identifier: MIT */
/* live: one line on a terminal's stderr that shows the stream's progress. */
#ifndef K6PIPE_K6AGG_LIVE_H
#define K6PIPE_K6AGG_LIVE_H

#include "data/sample.h"
#include "data/sink.h"
#include "data/stream.h"

/* Zeroed it is off, and all calls do nothing. */
struct live {
	bool is_on;
	bool is_shown;		/* a line stands there */
	int64_t next_ns;	/* monotonic; of the next drawing */
	double requests;
	struct sink duration, failed;
	/* a second or more of the stream, and its rate */
	int64_t clock_ns, window_ns;
	bool has_clock;
	double window_requests, rate;
};

/* On, if stderr is a terminal. */
void live_init(struct live *l);
void live_release(struct live *l);

void live_add_point(struct live *l, const struct point *p);
void live_add_sample(struct live *l, const struct sample *s);

/* Draw the line, if it is time; folded: requests in aggregates so far. */
void live_draw(struct live *l, int64_t folded);

/* Take the line away, before a message. */
void live_clear(struct live *l);

/* Draw a last time, leave the line there, and be off. */
void live_end(struct live *l, int64_t folded);

#endif
