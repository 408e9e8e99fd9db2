/* SPDX-License-Identifier: MIT */
/* outcome_remote: what an answer to a remote write means for its series. */
#ifndef K6PIPE_K6PUSH_SEND_OUTCOME_REMOTE_H
#define K6PIPE_K6PUSH_SEND_OUTCOME_REMOTE_H

#include "k6push/send/outcome.h"
#include "k6push/wire/wire.h"

/* 2xx is done, if its body, if any, is JSON or protobuf; 400, 409 and 422 are
 * for good, and 413 is too large; 5xx and 429 go away by themselves; with all
 * else a person must act. */
enum outcome outcome_remote(const struct fetch_reply *reply);

/* Of remote write 2.0, to a message with these values: is it the answer of a
 * receiver that knows only 1.0, and stored nothing? */
bool outcome_remote_is_of_1(const struct fetch_reply *reply,
    struct wire_values sent);

/* Likewise: does it say that fewer values, or in spite of a 400 that all, were
 * written? What an answer does not count, was not. Of values that are all 0 the
 * outcome stays. */
enum outcome outcome_remote_written(enum outcome outcome,
    const struct fetch_reply *reply, struct wire_values sent);

/* Is it an error of the data, though it is told as one of the server? Then
 * another try does not help. */
bool outcome_remote_is_of_data(const struct fetch_reply *reply);

/* Does it say that the receiver has later samples of the series? */
bool outcome_remote_is_late(const struct fetch_reply *reply);

/* Or does it say that the receiver cannot write? Then other data does not help
 * either. */
bool outcome_remote_is_of_disk(const struct fetch_reply *reply);

/* Append what the server said, and which setting may be wrong. */
void outcome_remote_describe(const struct fetch_reply *reply,
    const char *url, struct buf *out);

/* The same of an answer to a query that was not the one asked for. */
void outcome_remote_describe_query(const struct fetch_reply *reply,
    const char *url, struct buf *out);

#endif
