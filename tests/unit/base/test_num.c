/* SPDX-License-Identifier: MIT */
#include "base/num.c"

#include "random.h"
#include "tap.h"

static const char *
printed(double value)
{
	static char text[NUM_TEXT];

	CHECK(num_print(text, value) == strlen(text));
	return text;
}

static bool
is_same_double(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

/* PROTOCOL 1.5, column A, and neighbours of its limits. */
static void
print_table(void)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{ 1e-6, "0.000001" }, { 1.5e-7, "1.5e-7" },
		{ 0.00001, "0.00001" }, { 1000000, "1000000" },
		{ 1234567, "1234567" }, { 123456, "123456" },
		{ 1e21, "1e+21" },
		{ 0, "0" }, { -0.0, "-0" }, { 1, "1" }, { -1, "-1" },
		{ 0.1, "0.1" }, { 0.123, "0.123" }, { 100, "100" },
		{ 200.1, "200.1" }, { 9.99999e-7, "9.99999e-7" },
		{ 1e20, "100000000000000000000" },
		{ 123456789012345680000.0, "123456789012345680000" },
		{ 9007199254740993.0, "9007199254740992" },
		{ 1.7976931348623157e308, "1.7976931348623157e+308" },
		{ 2.2250738585072014e-308, "2.2250738585072014e-308" },
		{ 0.30000000000000004, "0.30000000000000004" },
		{ -1.2345e-9, "-1.2345e-9" }, { 5e-324, "5e-324" },
		{ 1e-320, "1e-320" }, { -0.015, "-0.015" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_TEXT(printed(rows[i].value), rows[i].text);
}

static double
random_double(void)
{
	uint64_t bits;
	double d;

	do {
		bits = random_bits();
		memcpy(&d, &bits, sizeof(d));
	} while (!isfinite(d));
	switch (random_below(4)) {
	case 0:
		return d;
	case 1:
		return (double)(int64_t)random_below(1U << 30) / 1e6;
	case 2:
		return (double)(int64_t)bits;
	default:
		return random_real() * 1000;
	}
}

static void
round_trip(void)
{
	char text[NUM_TEXT];
	double d, back, by_libc;
	size_t n, i, n_bad = 0;

	for (i = 0; i < 200000; i++) {
		d = random_double();
		n = num_print(text, d);
		by_libc = strtod(text, NULL);
		if (n >= NUM_TEXT || num_parse(text, n, &back) != n ||
		    !is_same_double(back, d) || !is_same_double(by_libc, d)) {
			printf("# %s for %.17g\n", text, d);
			n_bad++;
		}
	}
	CHECK(n_bad == 0);
}

/* Random JSON numbers, most of them short, some of 40 digits. */
static size_t
random_number(char *text)
{
	size_t n = 0, digits;

	if (random_below(4) == 0)
		text[n++] = '-';
	if (random_below(3) == 0) {
		text[n++] = '0';
	} else {
		text[n++] = (char)('1' + random_below(9));
		for (digits = random_below(random_below(8) ? 8 : 40);
		    digits > 0; digits--)
			text[n++] = (char)('0' + random_below(10));
	}
	if (random_below(2) == 0) {
		text[n++] = '.';
		for (digits = 1 + random_below(random_below(8) ? 8 : 40);
		    digits > 0; digits--)
			text[n++] = (char)('0' + random_below(10));
	}
	if (random_below(2) == 0) {
		text[n++] = random_below(2) ? 'e' : 'E';
		if (random_below(2) == 0)
			text[n++] = random_below(2) ? '-' : '+';
		n += (size_t)sprintf(text + n, "%d",
		    (int)random_below(random_below(4) ? 25 : 340));
	}
	text[n] = '\0';
	return n;
}

static void
as_strtod(void)
{
	char text[128];
	double got, want;
	size_t i, n, length, n_bad = 0;

	for (i = 0; i < 200000; i++) {
		n = random_number(text);
		want = strtod(text, NULL);
		length = num_parse(text, n, &got);
		if (!isfinite(want) ? length != 0 : length != n ||
		    !is_same_double(got, want)) {
			printf("# %s\n", text);
			n_bad++;
		}
	}
	CHECK(n_bad == 0);
}

static void
grammar(void)
{
	static const char *const bad[] = { "", "-", "+1", ".5", "1.", "-.5",
		"1.e3", "1e", "1e+", "1E-", "1e999", "-1e999", "NaN", "Inf",
		"Infinity", "-Infinity", "a", " 1", "e5", "--1" };
	static const struct {
		const char *text;
		size_t n;
	} prefixes[] = { { "01", 1 }, { "0x10", 1 }, { "1,2", 1 },
		{ "-0}", 2 }, { "1.5e3]", 5 }, { "12 ", 2 }, { "1e5.5", 3 },
		{ "1e-999", 6 }, { "0e999", 5 } };
	double v;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		v = 7;
		if (num_parse(bad[i], strlen(bad[i]), &v) != 0 || v != 7)
			CHECK_TEXT(bad[i], "not taken");
	}
	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		CHECK(num_parse(prefixes[i].text, strlen(prefixes[i].text),
		    &v) == prefixes[i].n);
}

/* A cut behind any byte must not be read over. */
static void
bounds(void)
{
	const char *text = "-123.456e+7";
	size_t n, want[] = { 0, 0, 2, 3, 4, 0, 6, 7, 8, 0, 0, 11 };
	char *cut;
	double v;

	for (n = 0; n <= strlen(text); n++) {
		cut = malloc(n + 1);	/* no NUL behind */
		memcpy(cut + 1, text, n);
		CHECK(num_parse(cut + 1, n, &v) == want[n]);
		free(cut);
	}
}

static void
integers(void)
{
	int64_t v = 7;

	CHECK(num_parse_int("0", 0, 10, &v) && v == 0);
	CHECK(num_parse_int("-9223372036854775808", INT64_MIN, INT64_MAX,
	    &v) && v == INT64_MIN);
	CHECK(num_parse_int("9223372036854775807", INT64_MIN, INT64_MAX,
	    &v) && v == INT64_MAX);
	CHECK(num_parse_int("-0", 0, 1, &v) && v == 0);
	v = 7;
	CHECK(!num_parse_int("9223372036854775808", INT64_MIN, INT64_MAX,
	    &v));
	CHECK(!num_parse_int("-9223372036854775809", INT64_MIN, INT64_MAX,
	    &v));
	CHECK(!num_parse_int("99999999999999999999", 0, INT64_MAX, &v));
	CHECK(!num_parse_int("", 0, 10, &v));
	CHECK(!num_parse_int("-", -10, 10, &v));
	CHECK(!num_parse_int("+1", 0, 10, &v));
	CHECK(!num_parse_int("1 ", 0, 10, &v));
	CHECK(!num_parse_int("1.0", 0, 10, &v));
	CHECK(!num_parse_int("0x1", 0, 10, &v));
	CHECK(!num_parse_int("11", 0, 10, &v));
	CHECK(!num_parse_int("-1", 0, 10, &v));
	CHECK(v == 7);
}

static void
milliseconds(void)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = { { 0, "0" }, { 123000, "0.123" }, { 1, "0.000001" },
		{ 1000000, "1" }, { -1500000, "-1.5" }, { 15000, "0.015" },
		{ 100000000, "100" },
		{ INT64_MAX, "9223372036854.775807" },
		{ INT64_MIN, "-9223372036854.775808" } };
	char text[NUM_TEXT];
	int64_t ns, back;
	double ms;
	size_t i, n_bad = 0;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK(num_print_ms(text, rows[i].ns) ==
		    strlen(rows[i].text));
		CHECK_TEXT(text, rows[i].text);
	}
	for (i = 0; i < 200000; i++) {
		ns = (int64_t)random_below(UINT64_C(1) <<
		    (1 + random_below(50)));
		if (!num_ms_to_ns((double)ns / 1e6, &back) || back != ns)
			n_bad++;
		(void)num_print_int(text, -ns);
		if (!num_parse_int(text, INT64_MIN, 0, &back) || back != -ns)
			n_bad++;
		(void)num_print_ms(text, -ns);
		if (num_parse(text, strlen(text), &ms) != strlen(text) ||
		    !num_ms_to_ns(ms, &back) || back != -ns)
			n_bad++;
	}
	CHECK(n_bad == 0);
	CHECK(num_print_int(text, INT64_MIN) == 20);
	CHECK_TEXT(text, "-9223372036854775808");
	CHECK(num_print_int(text, 0) == 1);
	CHECK_TEXT(text, "0");
}

static void
rounding(void)
{
	int64_t ns = 7;

	CHECK(num_ms_to_ns(0.282, &ns) && ns == 282000);
	CHECK(num_ms_to_ns(0.0000005, &ns) && ns == 1);
	CHECK(num_ms_to_ns(-0.0000005, &ns) && ns == -1);
	CHECK(num_ms_to_ns(0.0000004, &ns) && ns == 0);
	ns = 7;
	CHECK(!num_ms_to_ns(0x1p51 / 1e6, &ns));
	CHECK(!num_ms_to_ns(-0x1p51 / 1e6, &ns));
	CHECK(!num_ms_to_ns(1e308, &ns));
	CHECK(!num_ms_to_ns((double)INFINITY, &ns));
	CHECK(!num_ms_to_ns((double)NAN, &ns));
	CHECK(ns == 7);
}

static void
floors(void)
{
	static const struct {
		int64_t value, step, quotient;
	} each[] = { { 0, 10, 0 }, { 9, 10, 0 }, { 10, 10, 1 }, { -1, 10, -1 },
	    { -10, 10, -1 }, { -11, 10, -2 }, { INT64_MAX, 1, INT64_MAX },
	    { INT64_MIN, 1, INT64_MIN }, { INT64_MIN, 2, INT64_MIN / 2 },
	    { INT64_MIN + 1, 2, INT64_MIN / 2 } };
	size_t i;

	for (i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		CHECK(num_floor_div(each[i].value, each[i].step) ==
		    each[i].quotient);
		CHECK(num_floor_to(each[i].value, each[i].step) ==
		    each[i].quotient * each[i].step);
	}
}

int
main(void)
{
	test("numbers print as k6 2.0 prints them", print_table);
	test("what is printed reads back as the same double", round_trip);
	test("numbers read as strtod reads them", as_strtod);
	test("only JSON numbers are taken, 1e999 is not", grammar);
	test("no byte past the end is looked at", bounds);
	test("division and multiples round down below 0, too", floors);
	test("integers are whole, in range, and nothing else", integers);
	test("nanoseconds print as exact milliseconds", milliseconds);
	test("milliseconds round half away from zero", rounding);
	return tap_end();
}
