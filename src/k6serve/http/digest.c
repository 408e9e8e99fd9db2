/* SPDX-License-Identifier: MIT */
/* SHA-256 by libcrypto. */
#include "k6serve/http/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

int
digest_sha256(struct span in, unsigned char out[DIGEST_BYTES],
    struct why *why)
{
	if (EVP_Digest(in.p, in.n, out, NULL, EVP_sha256(), NULL) != 1)
		return why_set(why, "libcrypto: no SHA-256");
	return 0;
}

struct digest {
	EVP_MD_CTX *ctx;
	bool has_failed;
};

struct digest *
digest_begin(void)
{
	struct digest *d = xcalloc(1, sizeof(*d));

	d->ctx = EVP_MD_CTX_new();
	d->has_failed = d->ctx == NULL ||
	    EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1;
	return d;
}

void
digest_add(struct digest *d, struct span in)
{
	if (!d->has_failed)
		d->has_failed = EVP_DigestUpdate(d->ctx, in.p, in.n) != 1;
}

int
digest_end(struct digest *d, unsigned char out[DIGEST_BYTES])
{
	bool has_failed = d->has_failed ||
	    EVP_DigestFinal_ex(d->ctx, out, NULL) != 1;

	EVP_MD_CTX_free(d->ctx);
	free(d);
	return has_failed ? -1 : 0;
}

int
digest_hmac(struct span key, struct span in,
    unsigned char out[DIGEST_BYTES], struct why *why)
{
	unsigned int n = DIGEST_BYTES;

	if (HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)in.p,
	    in.n, out, &n) == NULL)
		return why_set(why, "libcrypto: no HMAC");
	return 0;
}

bool
digest_equal(const unsigned char a[DIGEST_BYTES],
    const unsigned char b[DIGEST_BYTES])
{
	return CRYPTO_memcmp(a, b, DIGEST_BYTES) == 0;
}
