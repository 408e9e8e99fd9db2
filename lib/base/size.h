/* SPDX-License-Identifier: MIT */
/* size: numbers of bytes as people write them. */
#ifndef K6PIPE_BASE_SIZE_H
#define K6PIPE_BASE_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/* Parse a whole number of bytes with an optional unit, as curl and GNU's tools
 * read it: K, M, G, T, in either case and also written KiB, are powers of
 * 1024; KB, MB, GB, TB are powers of 1000. False: not such a size, 0, or more
 * than an int64_t holds. */
bool size_parse(const char *text, int64_t *bytes);

#endif
