/* SPDX-License-Identifier: MIT */
/* links: base/mem base/die base/why */
/* libs: libcrypto */
#include "io/digest.c"

#include "tap.h"

/* FIPS 180-2, appendix B.1. */
static void
known(void)
{
	static const unsigned char want[DIGEST_BYTES] = {
		0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
		0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
		0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
		0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
	};
	unsigned char got[DIGEST_BYTES];
	struct why why;

	CHECK(digest_sha256(SPAN("abc"), got, &why) == 0);
	CHECK(digest_equal(got, want));
	got[DIGEST_BYTES - 1] ^= 1;
	CHECK(!digest_equal(got, want));
	CHECK(digest_sha256(SPAN(""), got, &why) == 0);
	CHECK(got[0] == 0xe3 && got[DIGEST_BYTES - 1] == 0x55);
}

static void
secret(void)
{
	char a[SECRET_TEXT], b[SECRET_TEXT];
	struct why why;

	CHECK(digest_secret(a, &why) == 0 && digest_secret(b, &why) == 0);
	CHECK(strlen(a) == 32 && strspn(a, "0123456789abcdef") == 32);
	CHECK(strcmp(a, b) != 0);
}

int
main(void)
{
	test("SHA-256 is that of the standard", known);
	test("a secret is 32 hex digits, each time others", secret);
	return tap_end();
}
