/* SPDX-License-Identifier: MIT */
/* varint: whole numbers in 7-bit groups, the lowest first, as protobuf's. */
#ifndef K6PIPE_BASE_VARINT_H
#define K6PIPE_BASE_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VARINT_BYTES 10		/* the longest */

/* Write v; returns how many bytes it took. */
static inline size_t
varint_put(unsigned char to[VARINT_BYTES], uint64_t v)
{
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		to[n++] = (unsigned char)(v | 0x80);
	to[n++] = (unsigned char)v;
	return n;
}

/* Read one at *p and step behind it. False: it is cut by end, or longer than
 * any number of 64 bits. */
bool varint_take(const unsigned char **p, const unsigned char *end,
    uint64_t *v);

#endif
