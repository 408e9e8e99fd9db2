/* SPDX-License-Identifier: MIT */
/* crc: CRC-32C (RFC 3720, B.4), to see that bytes on disk are those that
 * were written. */
#ifndef K6PIPE_K6PUSH_JOURNAL_CRC_H
#define K6PIPE_K6PUSH_JOURNAL_CRC_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of n bytes that follow those of crc; 0 starts anew. Uses the
 * processor's instruction where there is one. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n);

#endif
