/* SPDX-License-Identifier: MIT */
/*
 * receiver: the kind of server at the other end: what its answers mean, and
 * which calls it knows besides samples.
 */
#ifndef K6PIPE_K6PUSH_SEND_RECEIVER_H
#define K6PIPE_K6PUSH_SEND_RECEIVER_H

#include "k6push/send/outcome.h"

struct receiver {
	enum outcome (*outcome)(const struct fetch_reply *reply);

	/* Append what went wrong, on one line. */
	void (*describe)(const struct fetch_reply *reply, const char *url,
	    struct buf *out);

	/* It has runs: batches have keys, which may be withdrawn, and silence
	 * ends a run. */
	bool has_runs;
};

extern const struct receiver receiver_cloud;	/* k6's API */
extern const struct receiver receiver_remote;	/* Prometheus' remote write */

#endif
