/* SPDX-License-Identifier: MIT */
#include "base/varint.c"

#include "tap.h"

static void
test_known_bytes(void)
{
	static const struct {
		uint64_t v;
		const char *bytes;
		size_t n;
	} rows[] = {
		{ 0, "\x00", 1 }, { 1, "\x01", 1 }, { 127, "\x7f", 1 },
		{ 128, "\x80\x01", 2 }, { 300, "\xac\x02", 2 },
		{ 1700000001, "\x81\xe2\xcf\xaa\x06", 5 },
		{ UINT64_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10 },
	};
	unsigned char to[VARINT_BYTES];
	const unsigned char *p;
	uint64_t v;
	size_t i, n;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		n = varint_put(to, rows[i].v);
		CHECK(n == rows[i].n && memcmp(to, rows[i].bytes, n) == 0);
		p = to;
		CHECK(varint_take(&p, to + n, &v) && v == rows[i].v &&
		    p == to + n);
	}
}

static void
test_each_cut(void)
{
	unsigned char to[VARINT_BYTES];
	const unsigned char *p;
	size_t n = varint_put(to, UINT64_MAX), cut;
	uint64_t v;

	for (cut = 0; cut < n; cut++) {
		p = to;
		CHECK(!varint_take(&p, to + cut, &v));
	}
}

static void
test_too_long(void)
{
	static const unsigned char eleven[] =
	    "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01";
	static const unsigned char past64[] =
	    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02";
	const unsigned char *p = eleven;
	uint64_t v;

	CHECK(!varint_take(&p, eleven + 11, &v));
	p = past64;
	CHECK(!varint_take(&p, past64 + 10, &v));
}

int
main(void)
{
	test("known numbers are known bytes, and back", test_known_bytes);
	test("a number that is cut anywhere is none", test_each_cut);
	test("what 64 bits cannot hold is no number", test_too_long);
	return tap_end();
}
