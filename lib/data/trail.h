/* SPDX-License-Identifier: MIT */
/*
 * trail: one HTTP request (k6's trail) or one iteration's end (net trail),
 * rebuilt from consecutive points (PROTOCOL 2.3).
 */
#ifndef K6PIPE_DATA_TRAIL_H
#define K6PIPE_DATA_TRAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "data/stream.h"

/* The timings of a request, in k6's order. */
enum timing { TIMING_DURATION, TIMING_BLOCKED, TIMING_CONNECTING,
	TIMING_TLS_HANDSHAKING, TIMING_SENDING, TIMING_WAITING,
	TIMING_RECEIVING, TIMINGS };

extern const char *const timing_names[TIMINGS];	/* http_req_duration ... */

struct trail {
	int64_t time_ns;
	const struct tagset *tags;
	int64_t ns[TIMINGS];
	int failed;	/* 0, 1; -1: without http_req_failed */
};

/* Time on connecting and the TLS handshake, the second fence's measure. */
int64_t trail_connection_ns(const struct trail *t);

enum net_value { NET_DATA_SENT, NET_DATA_RECEIVED, NET_ITERATION_DURATION,
	NET_ITERATIONS, NET_VALUES };

extern const char *const net_names[NET_VALUES];	/* data_sent ... */

struct net_trail {
	int64_t time_ns;
	const struct tagset *tags;
	double value[NET_VALUES];
	int n;		/* values present: the first 2, 3 or 4 */
};

enum group_kind { GROUP_NONE, GROUP_POINTS, GROUP_TRAIL, GROUP_NET };

enum { GROUP_MAX = TIMINGS + 2 };	/* http_reqs, timings, failed */

/*
 * Points come in one at a time, groups come out. A group that could still
 * grow is held back until the next point shows that it does not, or
 * trails_end is called. The lines of held points are not copied: who wants
 * them keeps them where they are, each with a '\n' behind it, until
 * trails_settle.
 */
struct trails {
	struct point held[GROUP_MAX];
	int n;			/* points held */
	int n_settled;		/* of them, those with their line in lines */
	enum group_kind kind;	/* what they may become */
	struct buf lines;	/* copies, each with its '\n' */
	/* the metric that was last seen at a place of a trail, a net trail */
	const struct metric *seen[2][GROUP_MAX];
};

/* What trails_add gave back: a complete group. Points and lines die at the
 * next call. */
struct group_out {
	enum group_kind kind;
	const struct point *points;
	int n;
	struct trail trail;	/* GROUP_TRAIL only */
	struct net_trail net;	/* GROUP_NET only */
};

/* The lines of all points of a group, each with its '\n': where they stand,
 * or else, if something stands between them, copied to scratch. */
struct span group_lines(const struct group_out *g, struct buf *scratch);

typedef void trails_each(void *ctx, const struct group_out *g);

void trails_release(struct trails *t);

/* Add a point. Up to two groups become complete by it: those held before it,
 * and it alone; each is handed to `each` in order. Points of GROUP_POINTS
 * stand for themselves. */
void trails_add(struct trails *t, const struct point *p, trails_each *each,
    void *ctx);

/* The same for n points in a row; groups among them are not copied. */
void trails_add_all(struct trails *t, const struct point *points, int n,
    trails_each *each, void *ctx);

/* Copy the lines of held points, before their memory goes. */
void trails_settle(struct trails *t);

/* Hand out what is held. */
void trails_end(struct trails *t, trails_each *each, void *ctx);

#endif
