/* SPDX-License-Identifier: MIT */
/* Durations and times of RFC 3339, both ways; the clocks. */
#include "base/units.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/num.h"

static const struct unit {
	const char *name;
	int64_t ns;
} units[] = {		/* "ms" before "m": the longer name first */
	{ "ns", 1 }, { "us", NS_PER_US }, { "µs", NS_PER_US },
	{ "μs", NS_PER_US }, { "ms", NS_PER_MS }, { "s", NS_PER_S },
	{ "m", 60 * NS_PER_S }, { "h", 3600 * NS_PER_S },
	{ "d", 86400 * NS_PER_S },
};

static const struct unit *
unit_at(const char *p)
{
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strncmp(p, units[i].name, strlen(units[i].name)) == 0)
			return &units[i];
	return NULL;
}

/* One "1.5s" of a Go duration at *p; adds it to *sum. */
static bool
add_part(const char **p, bool is_first, int64_t *sum)
{
	int64_t whole = 0, part;
	double fraction = 0, scale = 1;
	const struct unit *unit;
	bool has_digits = false, has_point = false;

	for (;; (*p)++) {
		if (**p == '.' && !has_point) {
			has_point = true;
		} else if (**p < '0' || **p > '9') {
			break;
		} else if (has_point) {
			has_digits = true;
			if (scale < 1e18)
				fraction += (**p - '0') / (scale *= 10);
		} else {
			has_digits = true;
			if (__builtin_mul_overflow(whole, 10, &whole) ||
			    __builtin_add_overflow(whole, **p - '0', &whole))
				return false;
		}
	}
	unit = unit_at(*p);
	if (!has_digits || unit == NULL)
		return false;
	/* Days are whole and come first. */
	if (unit->name[0] == 'd' && (has_point || !is_first))
		return false;
	*p += strlen(unit->name);
	return !__builtin_mul_overflow(whole, unit->ns, &part) &&
	    !__builtin_add_overflow(part,
	    (int64_t)(fraction * (double)unit->ns + 0.5), &part) &&
	    !__builtin_add_overflow(*sum, part, sum);
}

bool
duration_parse(const char *text, int64_t *ns)
{
	const char *p = text;
	int64_t sum = 0;
	bool is_minus, is_first = true;
	double ms;
	size_t n = strlen(text);

	if (n == 0)
		return false;
	if (num_parse(text, n, &ms) == n) {
		ms *= 1e6;
		if (!(fabs(ms) < 9.2e18))
			return false;
		*ns = (int64_t)ms;
		return true;
	}
	is_minus = *p == '-';
	if (*p == '-' || *p == '+')
		p++;
	do {
		if (!add_part(&p, is_first, &sum))
			return false;
		is_first = false;
	} while (*p != '\0');
	*ns = is_minus ? -sum : sum;
	return true;
}

/* value with up to `digits` decimals, its trailing zeros left away. */
static size_t
print_fraction(char *text, uint64_t whole, uint64_t fraction, int digits)
{
	size_t n = (size_t)sprintf(text, "%llu", (unsigned long long)whole);

	if (fraction == 0)
		return n;
	n += (size_t)sprintf(text + n, ".%0*llu", digits,
	    (unsigned long long)fraction);
	while (text[n - 1] == '0')
		n--;
	text[n] = '\0';
	return n;
}

size_t
duration_print(char text[DURATION_TEXT], int64_t ns)
{
	uint64_t u = ns < 0 ? -(uint64_t)ns : (uint64_t)ns, s;
	size_t n = 0;

	if (ns < 0)
		text[n++] = '-';
	if (u == 0) {
		n += (size_t)sprintf(text + n, "0");
	} else if (u < (uint64_t)NS_PER_US) {
		n += print_fraction(text + n, u, 0, 0);
		n += (size_t)sprintf(text + n, "n");
	} else if (u < (uint64_t)NS_PER_MS) {
		n += print_fraction(text + n, u / 1000, u % 1000, 3);
		n += (size_t)sprintf(text + n, "µ");
	} else if (u < (uint64_t)NS_PER_S) {
		n += print_fraction(text + n, u / 1000000, u % 1000000, 6);
		n += (size_t)sprintf(text + n, "m");
	} else {
		s = u / 1000000000;
		if (s >= 3600)
			n += (size_t)sprintf(text + n, "%lluh",
			    (unsigned long long)(s / 3600));
		if (s >= 60)
			n += (size_t)sprintf(text + n, "%llum",
			    (unsigned long long)(s / 60 % 60));
		n += print_fraction(text + n, s % 60, u % 1000000000, 9);
	}
	text[n++] = 's';
	text[n] = '\0';
	return n;
}

/* Exactly `count` digits at *at. */
static bool
take_digits(struct span s, size_t *at, int count, int *value)
{
	*value = 0;
	for (; count > 0; count--, (*at)++) {
		if (*at >= s.n || s.p[*at] < '0' || s.p[*at] > '9')
			return false;
		*value = *value * 10 + (s.p[*at] - '0');
	}
	return true;
}

static bool
take_char(struct span s, size_t *at, char c)
{
	return *at < s.n && s.p[(*at)++] == c;
}

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar. */
static int64_t
days_from_date(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 +
	    day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	    of_year - 719468;
}

static int
days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
	    30, 31 };
	bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && is_leap);
}

/* Fraction after the dot, cut to nanoseconds. */
static bool
take_fraction(struct span s, size_t *at, int64_t *ns)
{
	int64_t scale = NS_PER_S / 10;
	size_t start = ++*at;

	for (; *at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9'; (*at)++) {
		*ns += (s.p[*at] - '0') * scale;
		scale /= 10;
	}
	return *at > start;
}

bool
time_parse(struct span s, int64_t *unix_ns)
{
	int year, month, day, hour, minute, second, oh = 0, om = 0;
	int64_t ns = 0, seconds;
	size_t at = 0;
	char sign;

	if (!take_digits(s, &at, 4, &year) || !take_char(s, &at, '-') ||
	    !take_digits(s, &at, 2, &month) || !take_char(s, &at, '-') ||
	    !take_digits(s, &at, 2, &day) || !take_char(s, &at, 'T') ||
	    !take_digits(s, &at, 2, &hour) || !take_char(s, &at, ':') ||
	    !take_digits(s, &at, 2, &minute) || !take_char(s, &at, ':') ||
	    !take_digits(s, &at, 2, &second))
		return false;
	if (at < s.n && s.p[at] == '.' && !take_fraction(s, &at, &ns))
		return false;
	if (at >= s.n)
		return false;
	sign = s.p[at++];
	if (sign == '+' || sign == '-') {
		if (!take_digits(s, &at, 2, &oh) || !take_char(s, &at, ':') ||
		    !take_digits(s, &at, 2, &om))
			return false;
	} else if (sign != 'Z') {
		return false;
	}
	if (at != s.n || month < 1 || month > 12 || day < 1 ||
	    day > days_in_month(year, month) || hour > 23 || minute > 59 ||
	    second > 59 || oh > 23 || om > 59)
		return false;
	seconds = days_from_date(year, month, day) * 86400 + hour * 3600 +
	    minute * 60 + second -
	    (sign == '-' ? -1 : 1) * (oh * 3600 + om * 60);
	return !__builtin_mul_overflow(seconds, NS_PER_S, unix_ns) &&
	    !__builtin_add_overflow(*unix_ns, ns, unix_ns);
}

/* Year, month and day of days since 1970: years that begin in March end with
 * the leap day, and eras of 400 years are alike. */
static char *
put_date(char *to, int64_t days)
{
	int64_t since = days + 719468;	/* 1 March of the year 0 */
	int64_t era = (since >= 0 ? since : since - 146096) / 146097;
	int64_t day = since - era * 146097;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t of_year = day - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	day = of_year - (153 * month + 2) / 5 + 1;
	month += month < 10 ? 3 : -9;
	to = num_put_digits(to, (uint32_t)(year + era * 400 +
	    (month <= 2)), 4);
	*to++ = '-';
	to = num_put_digits(to, (uint32_t)month, 2);
	*to++ = '-';
	return num_put_digits(to, (uint32_t)day, 2);
}

/* The fraction, and the end, of a text that goes up to p. */
static size_t
end_time(const char *text, char *p, int64_t ns)
{
	if (ns != 0) {
		*p++ = '.';
		p = num_put_digits(p, (uint32_t)ns, 9);
		while (p[-1] == '0')
			p--;
	}
	*p++ = 'Z';
	*p = '\0';
	return (size_t)(p - text);
}

size_t
time_print(char text[TIME_TEXT], int64_t unix_ns)
{
	int64_t ns = unix_ns % NS_PER_S, seconds = unix_ns / NS_PER_S;
	int64_t days, of_day;
	char *p;

	if (ns < 0) {
		ns += NS_PER_S;
		seconds--;
	}
	of_day = (seconds % 86400 + 86400) % 86400;
	days = (seconds - of_day) / 86400;
	p = put_date(text, days);
	*p++ = 'T';
	p = num_put_digits(p, (uint32_t)(of_day / 3600), 2);
	*p++ = ':';
	p = num_put_digits(p, (uint32_t)(of_day / 60 % 60), 2);
	*p++ = ':';
	p = num_put_digits(p, (uint32_t)(of_day % 60), 2);
	return end_time(text, p, ns);
}

/* Of two times of the same second only the fraction differs. */
size_t
time_print_next(char text[TIME_TEXT], int64_t unix_ns, int64_t last_ns)
{
	static const size_t n = sizeof("2006-01-02T15:04:05") - 1;

	if (last_ns <= 0 || unix_ns <= 0 ||
	    unix_ns / NS_PER_S != last_ns / NS_PER_S)
		return time_print(text, unix_ns);
	return end_time(text, text + n, unix_ns % NS_PER_S);
}

static int64_t
clock_ns(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t
now_unix_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t
now_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

void
now_both_ns(int64_t *monotonic_ns, int64_t *unix_ns)
{
	int64_t before = now_monotonic_ns(), after, wall;
	int64_t shortest = INT64_MAX;
	int i;

	for (i = 0; i < 4 && shortest > 10 * NS_PER_US; i++) {
		wall = now_unix_ns();
		after = now_monotonic_ns();
		if (after - before < shortest) {
			shortest = after - before;
			*monotonic_ns = after;
			*unix_ns = wall;
		}
		before = after;
	}
}
