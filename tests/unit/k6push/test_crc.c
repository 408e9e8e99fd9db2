/* SPDX-License-Identifier: MIT */
#include "k6push/journal/crc.c"

#include "tap.h"

/* Examples of RFC 3720, B.4, and the usual check value. */
static void
known(void)
{
	unsigned char bytes[32];
	int i;

	CHECK(crc32c(0, "123456789", 9) == 0xe3069283);
	memset(bytes, 0, sizeof(bytes));
	CHECK(crc32c(0, bytes, sizeof(bytes)) == 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	CHECK(crc32c(0, bytes, sizeof(bytes)) == 0x62a8ab43);
	for (i = 0; i < 32; i++)
		bytes[i] = (unsigned char)i;
	CHECK(crc32c(0, bytes, sizeof(bytes)) == 0x46dd794e);
	CHECK(crc32c(0, "", 0) == 0);
}

static void
pieces(void)
{
	static const char text[] = "a checksum over pieces is that of all";
	size_t n = sizeof(text) - 1, cut;

	for (cut = 0; cut <= n; cut++)
		CHECK(crc32c(crc32c(0, text, cut), text + cut, n - cut) ==
		    crc32c(0, text, n));
}

static void
both_ways(void)
{
	static const char text[] = "The table and the instruction agree.";
	size_t n;

	for (n = 0; n < sizeof(text); n++)
		CHECK(~by_table(~0U, (const unsigned char *)text, n) ==
		    crc32c(0, text, n));
}

int
main(void)
{
	test("the examples of RFC 3720", known);
	test("the checksum of pieces is that of the whole", pieces);
	test("with and without the processor's instruction", both_ways);
	return tap_end();
}
