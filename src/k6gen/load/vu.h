/* SPDX-License-Identifier: MIT */
/* vu: one virtual user, and the request that it is about to make. */
#ifndef K6PIPE_K6GEN_LOAD_VU_H
#define K6PIPE_K6GEN_LOAD_VU_H

#include <stdbool.h>
#include <stdint.h>

#include "k6gen/request.h"
#include "k6gen/targets/targets.h"

enum vu_state { VU_IDLE, VU_RUNNING };

/* What a VU that sleeps does when it wakes. */
enum vu_next { VU_NOTHING, VU_SEND, VU_REQUEST, VU_NEXT, VU_ITERATION };

/* A zeroed struct is a VU that has done nothing. */
struct vu {
	enum vu_state state;
	enum vu_next next;
	int64_t wake_ns;	/* with next */
	struct dice dice;
	int64_t iter;		/* iterations before this one */
	int n_requests;		/* of this iteration, before this one */
	size_t row;
	int64_t due_ns, begin_ns;	/* of the iteration */
	int64_t waited_ns;	/* in it, for --rps or a target of stdin */
	int64_t late_ns;	/* in it, by this process: answers were there,
				   pauses were over */
	int64_t end_late_ns;	/* by the last of these */
	bool is_starved;	/* waits for a target of stdin, or did */
	bool is_retiring;	/* by a ramp: ends with this iteration */
	int64_t kill_ns;	/* or is interrupted then */
	const struct target *target;	/* under way; or NULL */
	struct http_request request;
	struct buf url, body;	/* with placeholders filled in */
	struct buf *headers;	/* the same; as many as lines */
	const char **lines;
	size_t cap;		/* of headers and lines */
	char *hop_url;		/* owned: where a redirect led; or NULL */
	int64_t n_hops;		/* redirects followed */
	int64_t deadline_ns;	/* of the request with its redirects */
	struct http_bytes bytes;	/* told of by earlier iterations */
};

void vu_release(struct vu *v);

/* Make the request of the VU's target. */
void vu_prepare(struct vu *v, const struct text_values *values);

/* Make it the one that follows a redirect. */
void vu_follow(struct vu *v, const struct http_reply *reply);

#endif
