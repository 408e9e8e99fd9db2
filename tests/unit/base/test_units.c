/* SPDX-License-Identifier: MIT */
#include "base/units.c"

#include "random.h"
#include "tap.h"

#define HOUR (3600 * NS_PER_S)
#define DAY (24 * HOUR)

static void
durations(void)
{
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = {
		/* PROTOCOL 4.2: plain numbers are milliseconds */
		{ "1500", 1500 * NS_PER_MS }, { "0.5", NS_PER_MS / 2 },
		{ "1e3", NS_PER_S }, { "0", 0 }, { "-5", -5 * NS_PER_MS },
		{ "1h2m3.5s", HOUR + 123 * NS_PER_S + NS_PER_S / 2 },
		{ "12d", 12 * DAY }, { "2d3h", 2 * DAY + 3 * HOUR },
		{ "-1d2h", -DAY - 2 * HOUR },
		{ "3s", 3 * NS_PER_S }, { "1m0s", 60 * NS_PER_S },
		{ "500ms", 500 * NS_PER_MS }, { "7ns", 7 },
		{ "7us", 7000 }, { "7µs", 7000 }, { "7μs", 7000 },
		{ "+1s", NS_PER_S }, { "-1s", -NS_PER_S }, { "0s", 0 },
		{ ".5s", NS_PER_S / 2 }, { "1.s", NS_PER_S },
		{ "1s1s", 2 * NS_PER_S }, { "1ms1m", 60001 * NS_PER_MS },
		{ "0.000000001s", 1 }, { "1.123456789s", 1123456789 },
		{ "100000h", 100000 * HOUR },
		{ "9223372036854775807ns", INT64_MAX },
		{ "-9223372036854775807ns", -INT64_MAX },
		{ "0.3333333333333333333h", 1200 * NS_PER_S },
	};
	size_t i;
	int64_t ns;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!duration_parse(rows[i].text, &ns) || ns != rows[i].ns)
			CHECK_TEXT(rows[i].text, "read right");
	CHECK(true);
}

static void
bad_durations(void)
{
	static const char *const rows[] = { "", " ", "s", "-", "+", "1x",
		"1 s", " 1s", "1s ", "--1s", "1s-1s", "3h2d", "1.5d", "2d-3h",
		"1d1d", ".s", "1..5s", "1e3s", "0x1s", "abc", "null",
		"9223372036854775808ns", "300000000h", "1e300", "107000d",
		"99999999999999999999", "1S", "1min", "\xc2s", "5\xc2" };
	int64_t ns = 7;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (duration_parse(rows[i], &ns))
			CHECK_TEXT(rows[i], "refused");
	CHECK(ns == 7);
}

static void
print_durations(void)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {
		{ 0, "0s" }, { 1, "1ns" }, { 999, "999ns" }, { 1000, "1µs" },
		{ 1100, "1.1µs" }, { NS_PER_MS - 1, "999.999µs" },
		{ NS_PER_MS, "1ms" }, { NS_PER_S - 1, "999.999999ms" },
		{ NS_PER_S, "1s" },
		{ 2200000, "2.2ms" }, { 3300 * NS_PER_MS, "3.3s" },
		{ 3 * NS_PER_S, "3s" }, { 60 * NS_PER_S, "1m0s" },
		{ 500 * NS_PER_MS, "500ms" }, { 1500 * NS_PER_MS, "1.5s" },
		{ 245 * NS_PER_S, "4m5s" },
		{ 5 * HOUR + 6 * 60 * NS_PER_S + 7001 * NS_PER_MS,
		    "5h6m7.001s" },
		{ 3600 * NS_PER_S, "1h0m0s" }, { -NS_PER_S, "-1s" },
		{ 480 * 60 * NS_PER_S + 1, "8h0m0.000000001s" },
		{ INT64_MAX, "2562047h47m16.854775807s" },
		{ INT64_MIN, "-2562047h47m16.854775808s" },
	};
	char text[DURATION_TEXT];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK(duration_print(text, rows[i].ns) ==
		    strlen(rows[i].text));
		CHECK_TEXT(text, rows[i].text);
	}
}

static void
duration_trip(void)
{
	char text[DURATION_TEXT];
	int64_t ns, back;
	size_t i, n_bad = 0;

	for (i = 0; i < 100000; i++) {
		ns = (int64_t)(random_bits() >> (1 + random_below(63)));
		if (random_below(2) == 0)
			ns = -ns;
		(void)duration_print(text, ns);
		if (!duration_parse(text, &back) || back != ns) {
			printf("# %s\n", text);
			n_bad++;
		}
	}
	CHECK(n_bad == 0);
}

static bool
parse(const char *text, int64_t *ns)
{
	return time_parse(span_of(text), ns);
}

static void
times(void)
{
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = {
		/* PROTOCOL 1.4 */
		{ "2023-11-14T22:13:20Z", 1700000000000000000 },
		{ "2023-11-14T22:13:20.12Z", 1700000000120000000 },
		{ "2023-11-14T23:13:20.123456789+01:00",
		    1700000000123456789 },
		{ "2023-11-14T18:43:20.000000001-03:30",
		    1700000000000000001 },
		{ "2023-11-14T22:13:20+00:00", 1700000000000000000 },
		{ "2023-11-14T22:13:20-00:00", 1700000000000000000 },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1969-12-31T23:59:59.999999999Z", -1 },
		{ "2024-02-29T00:00:00Z", 1709164800000000000 },
		{ "2000-02-29T00:00:00Z", 951782400000000000 },
		{ "2023-11-14T22:13:20.1234567899999Z",
		    1700000000123456789 },
		{ "2023-11-14T22:13:20.000000000Z", 1700000000000000000 },
		{ "2262-04-11T23:47:16.854775807Z", INT64_MAX },
		{ "2024-01-01T00:30:00+23:59", 1704069060000000000 - 86400 *
		    NS_PER_S },
	};
	size_t i;
	int64_t ns;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!parse(rows[i].text, &ns) || ns != rows[i].ns)
			CHECK_TEXT(rows[i].text, "read right");
	CHECK(true);
}

static void
bad_times(void)
{
	static const char *const rows[] = { "", "2023", "2023-11-14",
		"2023-11-14 22:13:20Z", "2023-11-14t22:13:20Z",
		"2023-11-14T22:13:20z", "2023-11-14T22:13:20",
		"2023-11-14T22:13:20.Z", "2023-11-14T22:13:20,5Z",
		"2023-11-14T22:13:20.5", "2023-11-14T22:13Z",
		"2023-11-14T24:00:00Z", "2023-11-14T22:60:00Z",
		"2023-11-14T22:13:60Z", "2023-13-01T00:00:00Z",
		"2023-00-01T00:00:00Z", "2023-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z", "2023-04-31T00:00:00Z",
		"2023-04-00T00:00:00Z", "2023-11-14T22:13:20+1:00",
		"2023-11-14T22:13:20+0100", "2023-11-14T22:13:20+24:00",
		"2023-11-14T22:13:20+01:60", "2023-11-14T22:13:20+01",
		"2023-11-14T22:13:20ZZ", "2023-11-14T22:13:20Z ",
		" 2023-11-14T22:13:20Z", "2023-11-14T22:13:20.-1Z",
		"+2023-11-14T22:13:20Z", "0000-01-01T00:00:00Z",
		"1600-01-01T00:00:00Z", "2262-04-11T23:47:16.854775808Z",
		"9999-12-31T23:59:59Z", "2023-1-14T22:13:20Z",
		"2023-11-14T22:13:2\xc2Z", "12023-11-14T22:13:20Z" };
	size_t i;
	int64_t ns;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (parse(rows[i], &ns))
			CHECK_TEXT(rows[i], "refused");
	CHECK(!time_parse(SPAN("2023-11-14T22:13:20\0Z"), &ns));
}

static void
time_trip(void)
{
	char text[TIME_TEXT];
	int64_t ns, back;
	size_t i, n_bad = 0;

	CHECK(time_print(text, 1700000000000000000) == 20);
	CHECK_TEXT(text, "2023-11-14T22:13:20Z");
	(void)time_print(text, 1700000000120000000);
	CHECK_TEXT(text, "2023-11-14T22:13:20.12Z");
	(void)time_print(text, -1);
	CHECK_TEXT(text, "1969-12-31T23:59:59.999999999Z");
	(void)time_print(text, INT64_MAX);
	CHECK_TEXT(text, "2262-04-11T23:47:16.854775807Z");
	for (i = 0; i < 100000; i++) {
		ns = (int64_t)(random_bits() >> (1 + random_below(40)));
		if (random_below(4) == 0)
			ns = -ns + NS_PER_S;
		if (random_below(2) == 0)
			ns -= ns % NS_PER_MS;
		(void)time_print(text, ns);
		if (!parse(text, &back) || back != ns) {
			printf("# %s\n", text);
			n_bad++;
		}
	}
	CHECK(n_bad == 0);
}

/* A text that is changed into the next time's is what it is otherwise. */
static void
time_next(void)
{
	char text[TIME_TEXT], whole[TIME_TEXT];
	int64_t last = 0, ns = 1700000000000000000;
	size_t i, n, n_bad = 0;

	for (i = 0; i < 100000; i++) {
		n = time_print_next(text, ns, last);
		if (time_print(whole, ns) != n || strcmp(text, whole) != 0)
			n_bad++;
		last = ns;
		ns += (int64_t)(random_below(4) * random_below(NS_PER_S / 2));
		if (random_below(3) == 0)
			ns -= ns % NS_PER_MS;
		if (random_below(50) == 0)
			ns = (int64_t)random_below(3) * NS_PER_S / 2 - NS_PER_S;
	}
	CHECK(n_bad == 0);
}

static void
clocks(void)
{
	int64_t before = now_monotonic_ns(), both, wall;

	CHECK(now_monotonic_ns() >= before);
	CHECK(now_unix_ns() > 1700000000 * NS_PER_S);
	now_both_ns(&both, &wall);
	CHECK(both >= before && both <= now_monotonic_ns());
	CHECK(wall > 1700000000 * NS_PER_S && wall <= now_unix_ns());
}

int
main(void)
{
	test("durations read as k6 reads them", durations);
	test("what is no duration, or too long, is refused", bad_durations);
	test("durations print as Go prints them", print_durations);
	test("a printed duration reads back", duration_trip);
	test("times read with any fraction and zone", times);
	test("what is no time of 1677 to 2262 is refused", bad_times);
	test("a printed time reads back", time_trip);
	test("a time that follows is printed as any other", time_next);
	test("the clocks run", clocks);
	return tap_end();
}
