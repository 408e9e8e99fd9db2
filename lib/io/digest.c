/* SPDX-License-Identifier: MIT */
#include "io/digest.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/random.h>

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

int
digest_secret(char text[SECRET_TEXT], struct why *why)
{
	unsigned char bytes[(SECRET_TEXT - 1) / 2];
	size_t i;

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return why_set(why, "getrandom: %s", strerror(errno));
	for (i = 0; i < sizeof(bytes); i++)
		(void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}
