/* SPDX-License-Identifier: MIT */
/* outcome: what an answer of the cloud means for the samples it is about. */
#ifndef K6PIPE_K6PUSH_SEND_OUTCOME_H
#define K6PIPE_K6PUSH_SEND_OUTCOME_H

#include "base/buf.h"
#include "io/fetch.h"

enum outcome {
	OUTCOME_ACKED,		/* 2xx, and 409 (it has the key), of the API
				   itself: they are the server's now */
	OUTCOME_RETRY,		/* no answer, 408, 425, 429, 5xx: later */
	OUTCOME_SPLIT,		/* 413: in smaller parts */
	OUTCOME_REFUSED,	/* 400, 415, 422: these samples never go in */
	OUTCOME_HOLD,		/* 3xx, other 4xx, a page in the API's place: a
				   person must act */
	OUTCOME_STOP,		/* 403 with code 4: the run takes no more */
};

enum outcome outcome_of(const struct fetch_reply *reply);

/* May it be an answer of the API? That is empty, JSON, or protobuf; what a
 * captive portal or a proxy says in its place is a page, or text. */
bool outcome_is_of_api(const struct fetch_reply *reply);

/* Is it the API's own error: a JSON object with an object "error"? */
bool outcome_is_api_error(const struct fetch_reply *reply);

/* Does k6serve say that the run was removed, and with it all that was stored of
 * it? */
bool outcome_is_removed(const struct fetch_reply *reply);

/* Append the error in k6's words (PROTOCOL 3.6), on one line. */
void outcome_describe(const struct fetch_reply *reply, const char *url,
    struct buf *out);

#endif
