/* SPDX-License-Identifier: MIT */
#include "k6serve/http/digest.c"

#include <stdio.h>

#include "tap.h"

static struct why why;

static void
is_digest(struct span in, const char *want)
{
	unsigned char out[DIGEST_BYTES], again[DIGEST_BYTES];
	struct digest *d;
	char text[2 * DIGEST_BYTES + 1];
	size_t i;

	CHECK(digest_sha256(in, out, &why) == 0);
	for (i = 0; i < DIGEST_BYTES; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", out[i]);
	CHECK_TEXT(text, want);
	d = digest_begin();
	digest_add(d, (struct span){ in.p, in.n / 3 });
	digest_add(d, (struct span){ in.p + in.n / 3, in.n - in.n / 3 });
	CHECK(digest_end(d, again) == 0 && digest_equal(out, again));
}

/* FIPS 180-2, appendix B. */
static void
known(void)
{
	is_digest(SPAN(""), "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855");
	is_digest(SPAN("abc"), "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	is_digest(SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmno"
	    "mnopnopq"), "248d6a61d20638b8e5c026930c3e6039"
	    "a33ce45964ff2167f6ecedd419db06c1");
}

static void
equal(void)
{
	unsigned char a[DIGEST_BYTES] = { 1, 2, 3 }, b[DIGEST_BYTES];
	size_t i;

	memcpy(b, a, sizeof(b));
	CHECK(digest_equal(a, b));
	for (i = 0; i < DIGEST_BYTES; i++) {
		b[i] ^= 0x80;
		CHECK(!digest_equal(a, b));
		b[i] ^= 0x80;
	}
}

int
main(void)
{
	test("SHA-256 of the standard's examples", known);
	test("digests are equal in all bytes or not equal", equal);
	return tap_end();
}
