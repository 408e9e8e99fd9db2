/* SPDX-License-Identifier: MIT */
/*
 * writer: a thread that writes to stdout, so that a slow reader does not hold
 * up the load until WRITER_HELD bytes are waiting.
 */
#ifndef K6PIPE_K6GEN_SAMPLES_WRITER_H
#define K6PIPE_K6GEN_SAMPLES_WRITER_H

#include <stdint.h>

#include "base/buf.h"
#include "base/why.h"

#define WRITER_HELD (64 << 20)

struct writer;

/* Lines are borrowed: line i declares what bit i of a mask stands for. NULL:
 * why, there is no thread. */
struct writer *writer_new(const struct buf *lines, struct why *why);

/* Take the bytes of whole lines; b is then empty, with memory to go on. Lines
 * of bits that have not been declared go out before. Waits while there is no
 * room. After a failure bytes are thrown away. */
void writer_put(struct writer *w, struct buf *b, uint64_t mask);

/* Wait until all is written. Returns as writer_error. */
int writer_end(struct writer *w);

/* writer_end, if need be, and free. NULL is allowed. */
void writer_free(struct writer *w);

/* errno of a write that failed, for good; 0: none did. A reader that has gone
 * ends the process by SIGPIPE. */
int writer_error(struct writer *w);

/* How long writer_put has waited, of all threads together. */
int64_t writer_stalled_ns(struct writer *w);

#endif
