/* SPDX-License-Identifier: MIT */
/* random: bytes of the system's generator; they cannot be foreseen. */
#ifndef K6PIPE_BASE_RANDOM_H
#define K6PIPE_BASE_RANDOM_H

#include <stddef.h>

/* Fill n <= 256 bytes. The process ends if the system has none. */
void random_bytes(void *to, size_t n);

/* Write n <= 64 random bytes as 2 * n lower-case hex digits and a NUL. */
void random_hex(char *to, size_t n);

#endif
