/* SPDX-License-Identifier: MIT */
/* snap: snappy's block format, as metrics protocol 2 has it. libsnappy stays
 * in here. */
#ifndef K6PIPE_IO_SNAP_H
#define K6PIPE_IO_SNAP_H

#include "base/buf.h"
#include "base/why.h"

enum { SNAP_TOO_LARGE = -2 };

/* Append plain as one block to out, which has no maximum. */
void snap_pack(struct span plain, struct buf *out);

/* Append what the block holds to out. Its length is checked, against max and
 * against what so many bytes can hold at most, before memory is taken. -1: it
 * is no such block; SNAP_TOO_LARGE: it holds more than max bytes. */
int snap_unpack(struct span block, size_t max, struct buf *out,
    struct why *why);

#endif
