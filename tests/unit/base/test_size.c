/* SPDX-License-Identifier: MIT */
#include "base/size.c"

#include "tap.h"

static int64_t
size_of(const char *text)
{
	int64_t bytes = -7;
	bool is_size = size_parse(text, &bytes);

	CHECK(is_size == (bytes != -7));
	return bytes;
}

static void
powers(void)
{
	CHECK(size_of("1") == 1);
	CHECK(size_of("700") == 700);
	CHECK(size_of("1K") == 1024 && size_of("1k") == 1024);
	CHECK(size_of("3M") == 3 << 20 && size_of("3m") == 3 << 20);
	CHECK(size_of("4G") == INT64_C(4) << 30);
	CHECK(size_of("2T") == INT64_C(2) << 40);
	CHECK(size_of("5KiB") == 5 * 1024 && size_of("5kib") == 5 * 1024);
	CHECK(size_of("1TiB") == INT64_C(1) << 40);
	CHECK(size_of("5KB") == 5000 && size_of("5kB") == 5000);
	CHECK(size_of("6MB") == 6000000);
	CHECK(size_of("20GB") == INT64_C(20000000000));
	CHECK(size_of("1TB") == INT64_C(1000000000000));
}

static void
refused(void)
{
	static const char *const bad[] = { "", "0", "0K", "K", "-1", "+1",
	    " 1", "1 K", "1X", "1P", "1.5G", "1Ki", "1KiBs", "1KK", "1B",
	    "1iB", "0x10", "1K ", "1\x0b", "1\x01" };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (size_of(bad[i]) != -7)
			tap_same(span_of(bad[i]), SPAN("refused"), __FILE__,
			    __LINE__);
}

static void
limits(void)
{
	CHECK(size_of("9223372036854775807") == INT64_MAX);
	CHECK(size_of("9223372036854775808") == -7);
	CHECK(size_of("8388607T") == INT64_C(8388607) << 40);
	CHECK(size_of("8388608T") == -7);
	CHECK(size_of("9223372TB") == INT64_C(9223372000000000000));
	CHECK(size_of("9223373TB") == -7);
}

int
main(void)
{
	test("units are powers of 1024, with B behind them of 1000", powers);
	test("what is not a size is refused, and changes nothing", refused);
	test("the largest size is that of an int64_t", limits);
	return tap_end();
}
