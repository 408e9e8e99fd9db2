/* SPDX-License-Identifier: MIT */
#include "io/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

int
digest_sha256(struct span in, unsigned char out[DIGEST_BYTES],
    struct why *why)
{
	if (EVP_Digest(in.p, in.n, out, NULL, EVP_sha256(), NULL) != 1)
		return why_set(why, "libcrypto: no SHA-256");
	return 0;
}

bool
digest_equal(const unsigned char a[DIGEST_BYTES],
    const unsigned char b[DIGEST_BYTES])
{
	return CRYPTO_memcmp(a, b, DIGEST_BYTES) == 0;
}
