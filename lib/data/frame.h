/* SPDX-License-Identifier: MIT */
/*
 * frame: the bytes of a Point line around its time and its value.
 *
 * k6 writes the same bytes before the time of each point of a metric (the
 * head), and the same behind the value for each point of a tag set (the tail).
 * Both are parsed once in their life; from then on a line is compared with the
 * head and the tail that are likely, and only its time and value are read:
 *
 *   {"metric":"m","type":"Point","data":{"time":"T","value":V,"tags":{...}}}
 *   '----------------- head ------------------'            '---- tail ----'
 *
 * k6 before 0.39 put the metric last, into the tail. Only lines in these two
 * forms, byte by byte, are framed, so that any head with any tail of the same
 * form means what its two halves mean.
 */
#ifndef K6PIPE_DATA_FRAME_H
#define K6PIPE_DATA_FRAME_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "data/metric.h"
#include "data/tags.h"

enum { FRAME_MINUTE = sizeof("2006-01-02T15:04:") - 1, FRAME_RECENT = 512 };

/* What stands between a point's time and its value. */
#define FRAME_MIDDLE "\",\"value\":"

struct head {
	struct span text;		/* owned */
	const struct metric *metric;	/* NULL: the tail names it */
	struct head *next;		/* of the line after it, last time */
};

struct tail {
	struct span text;		/* behind the struct */
	const struct tagset *tags;	/* holds a reference */
	const struct metric *metric;	/* NULL: the head names it */
	struct tail *next;		/* that came after it the last time */
	atomic_uint refs;
};

/* The frames of one stream. A zeroed struct knows none. */
struct frames {
	struct map heads, tails;	/* by text */
	struct head *head;		/* of the line before; may be NULL */
	struct tail *tail;
	struct tail *recent[FRAME_RECENT];	/* by some of their bytes */
	char time_text[64];	/* of the line before, with FRAME_MIDDLE */
	size_t time_n;
	int64_t time_ns;
	char minute_text[FRAME_MINUTE];	/* of a time in UTC, and what it is */
	int64_t minute_ns;
	uint32_t time_id;		/* goes up with each other text */
	size_t bytes;			/* taken by tails */
	size_t longest_head, longest_tail;	/* that was ever known */
	struct buf text;		/* scratch */
};

/* One point of the stream; spans are borrowed from its line. */
struct point {
	const struct metric *metric;
	const struct tagset *tags;
	int64_t time_ns;
	double value;
	struct span line;
	const struct head *head;	/* NULL: not framed */
	const struct tail *tail;
	uint32_t time_id;	/* of a stream: the same for the same text */
	uint16_t value_at;	/* of its text in the line, if framed */
	uint8_t time_n, value_n;	/* bytes of their text, if framed */
	bool has_metadata;	/* which groups, and the cloud, do not heed */
};

/* A line as the general parser saw it: raw text of its parts, and their
 * meaning. */
struct frame_parts {
	struct span line, metric_text, time, value, tags_text;
	const struct metric *metric;
	const struct tagset *tags;
};

void frames_release(struct frames *f);

/* Forget the tails; those that somebody holds live on. */
void frames_forget_tails(struct frames *f);

/* Read the line that text begins with. Returns its length up to the newline,
 * or up to text's end if that comes first; 0 if its frame is not known, or
 * its time or value is not valid. */
size_t frames_match(struct frames *f, struct span text, struct point *out);

/* Read points from the start of text, at most max, as long as frames_match
 * does and a '\n' follows. Returns how many; *bytes: with their '\n'. */
int frames_match_all(struct frames *f, struct span text, struct point *out,
    int max, size_t *bytes);

/* Remember the frame of a line, if it is in one of the two forms. */
void frames_learn(struct frames *f, const struct frame_parts *parts);

/* Hold a tail and its tag set beyond frames_forget_tails, from any thread. */
struct tail *tail_hold(const struct tail *t);
void tail_drop(const struct tail *t);

#endif
