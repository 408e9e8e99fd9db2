/* SPDX-License-Identifier: MIT */
/* The inside of a series, for stream.c and keep.c alone. */
#ifndef K6PIPE_DATA_STREAM_PRIV_H
#define K6PIPE_DATA_STREAM_PRIV_H

#include "base/mem.h"

struct metric;
struct tagset;

/* What stands between a point's time and its value. */
#define SERIES_MIDDLE "\",\"value\":"

/* What the bytes around time and value say. */
struct series {
	struct span key;		/* head, '\0', tail; owned */
	struct span head, tail;		/* in key */
	const struct metric *metric;
	const struct tagset *tags;
	struct series *next;		/* what came after it the last time */
};

#endif
