/* SPDX-License-Identifier: MIT */
/* gz: gzip of bytes in memory, both ways, and of inputs that are read. zlib and
 * ISA-L stay in here. */
#ifndef K6PIPE_IO_GZ_H
#define K6PIPE_IO_GZ_H

#include <stddef.h>

#include "base/buf.h"
#include "base/unpack.h"
#include "base/why.h"

/* Append the gzip form of in to out; level 1 (fast) .. 9 (small). -1: out
 * reached its maximum. */
int gz_deflate(struct span in, int level, struct buf *out, struct why *why);

/* gzip streams of any length, member by member. */
extern const struct codec gz_codec;

/* The most that n bytes of a stranger's gzip may unpack to: max_out, or 200
 * times as much and 2 MiB, since more is no honest data. */
size_t gz_limit(size_t n, size_t max_out);

#define GZ_TOO_LARGE (-2)

/* Append what the gzip stream in holds (any number of members) to out. -1: it
 * is no whole gzip stream. GZ_TOO_LARGE: it would give more than
 * max_out; out then never held more than that. */
int gz_inflate(struct span in, size_t max_out, struct buf *out,
    struct why *why);

#endif
