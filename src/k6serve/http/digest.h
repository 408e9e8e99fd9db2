/* SPDX-License-Identifier: MIT */
/* digest: SHA-256; hides libcrypto. */
#ifndef K6PIPE_K6SERVE_HTTP_DIGEST_H
#define K6PIPE_K6SERVE_HTTP_DIGEST_H

#include <stdbool.h>

#include "base/mem.h"
#include "base/why.h"

#define DIGEST_BYTES 32

/* Hash all of in into out. 0; -1: libcrypto refused, out holds nothing. */
int digest_sha256(struct span in, unsigned char out[DIGEST_BYTES],
    struct why *why);

/* The same piece by piece. digest_end frees; -1: libcrypto refused at some
 * point, out holds nothing. */
struct digest;

struct digest *digest_begin(void);
void digest_add(struct digest *d, struct span in);
int digest_end(struct digest *d, unsigned char out[DIGEST_BYTES]);

/* HMAC-SHA256 of in. 0; -1: libcrypto refused. */
int digest_hmac(struct span key, struct span in,
    unsigned char out[DIGEST_BYTES], struct why *why);

/* Are they the same? Takes a time that does not tell where they differ. */
bool digest_equal(const unsigned char a[DIGEST_BYTES],
    const unsigned char b[DIGEST_BYTES]);

#endif
