/* SPDX-License-Identifier: MIT */
/* digest: SHA-256 and secrets. libcrypto stays in here. */
#ifndef K6PIPE_IO_DIGEST_H
#define K6PIPE_IO_DIGEST_H

#include <stdbool.h>

#include "base/mem.h"
#include "base/why.h"

#define DIGEST_BYTES 32
#define SECRET_TEXT 33	/* 128 random bits in hex, with NUL */

int digest_sha256(struct span in, unsigned char out[DIGEST_BYTES],
    struct why *why);

/* Compares in a time that does not tell where two digests differ. */
bool digest_equal(const unsigned char a[DIGEST_BYTES],
    const unsigned char b[DIGEST_BYTES]);

/* A new secret, from the kernel. */
int digest_secret(char text[SECRET_TEXT], struct why *why);

#endif
