/* SPDX-License-Identifier: MIT */
/* Numbers as text, both ways, exactly. */
#include "base/num.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double power_of_ten[] = {
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

static const uint32_t whole_power_of_ten[] = {
	1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits of a number gathered while scanning its text. */
struct decimal {
	uint64_t digits;	/* the first 19 significant ones */
	int n_digits;
	int exponent;		/* of ten, to be applied to digits */
	bool is_cut;		/* more than 19 digits */
};

static void
add_digit(struct decimal *d, char c, bool is_fraction)
{
	if (d->n_digits < 19) {
		d->digits = d->digits * 10 + (uint64_t)(c - '0');
		if (d->digits != 0)
			d->n_digits++;
		d->exponent -= is_fraction;
	} else {
		d->is_cut = true;
		d->exponent += !is_fraction;
	}
}

/* Scan the grammar of RFC 8259: int, frac, exp. Returns the length or 0. */
static size_t
scan(const char *p, size_t n, struct decimal *d)
{
	size_t i = n > 0 && p[0] == '-', start;
	int e = 0;
	bool is_minus;

	if (i >= n || !is_digit(p[i]))
		return 0;
	if (p[i] == '0')
		i++;
	else
		for (; i < n && is_digit(p[i]); i++)
			add_digit(d, p[i], false);
	if (i < n && p[i] == '.') {
		for (start = ++i; i < n && is_digit(p[i]); i++)
			add_digit(d, p[i], true);
		if (i == start)
			return 0;
	}
	if (i < n && (p[i] == 'e' || p[i] == 'E')) {
		i++;
		is_minus = i < n && p[i] == '-';
		if (i < n && (p[i] == '-' || p[i] == '+'))
			i++;
		for (start = i; i < n && is_digit(p[i]); i++)
			if (e < 100000)
				e = e * 10 + (p[i] - '0');
		if (i == start)
			return 0;
		d->exponent += is_minus ? -e : e;
	}
	return i;
}

/* The slow and always right way, for what the fast path cannot do. */
static double
by_strtod(const char *p, size_t n)
{
	char small[64], *text = small, *end;
	double value;

	if (n >= sizeof(small) && (text = malloc(n + 1)) == NULL)
		return INFINITY;
	memcpy(text, p, n);
	text[n] = '\0';
	value = strtod(text, &end);
	if (text != small)
		free(text);
	return value;
}

/* The digits at p, at most 8, as a number; *n says how many. */
static inline uint32_t
up_to_eight(const char *p, unsigned *n)
{
	const uint64_t zeros = 0x3030303030303030U;
	uint64_t w, others;

	memcpy(&w, p, sizeof(w));
	w ^= zeros;	/* a digit is below 10 now, anything else is not */
	others = ((w + 0x0606060606060606U) | w) & 0xf0f0f0f0f0f0f0f0U;
	*n = others == 0 ? 8 : (unsigned)__builtin_ctzll(others) / 8;
	if (*n == 0)
		return 0;
	w <<= 64 - 8 * *n;	/* as if zeros stood before them */
	w = w * 10 + (w >> 8);	/* pairs, then fours, then all */
	return (uint32_t)(((w & 0x000000ff000000ffU) * 0x000f424000000064U +
	    (w >> 16 & 0x000000ff000000ffU) * 0x0000271000000001U) >> 32);
}

/* What nearly all numbers are: up to 8 digits, and 8 of a fraction, no
 * exponent. Returns the length; 0: not so, or too near the end to look. */
static inline size_t
quick(const char *p, size_t n, double *value)
{
	unsigned whole = 1, fraction;
	uint64_t digits, after;

	if (n < 24 || !is_digit(p[0]))
		return 0;
	digits = (uint64_t)(p[0] - '0');
	for (; is_digit(p[whole]); whole++) {
		if (whole == 8 || digits == 0)
			return 0;
		digits = digits * 10 + (uint64_t)(p[whole] - '0');
	}
	if (p[whole] != '.') {
		*value = (double)digits;
		return (p[whole] | 0x20) != 'e' ? whole : 0;
	}
	after = up_to_eight(p + whole + 1, &fraction);
	n = whole + 1 + fraction;
	digits = digits * whole_power_of_ten[fraction] + after;
	if (fraction == 0 || is_digit(p[n]) || (p[n] | 0x20) == 'e' ||
	    digits > (uint64_t)1 << 53)
		return 0;
	*value = (double)digits / power_of_ten[fraction];
	return n;
}

/* Any number. */
static __attribute__((noinline)) size_t
parse_slowly(const char *p, size_t n, double *value)
{
	struct decimal d = { 0 };
	size_t length = scan(p, n, &d);
	double v;

	if (length == 0)
		return 0;
	/* Clinger: both the digits and the power of ten are exact doubles,
	 * so that one operation rounds once. */
	if (!d.is_cut && d.digits <= (uint64_t)1 << 53 &&
	    d.exponent >= -22 && d.exponent <= 22) {
		v = (double)d.digits;
		v = d.exponent < 0 ? v / power_of_ten[-d.exponent]
		    : v * power_of_ten[d.exponent];
		if (p[0] == '-')
			v = -v;
	} else {
		v = by_strtod(p, length);
	}
	if (!isfinite(v))
		return 0;
	*value = v;
	return length;
}

size_t
num_parse(const char *p, size_t n, double *value)
{
	size_t length = quick(p, n, value);

	return length > 0 ? length : parse_slowly(p, n, value);
}

bool
num_parse_int(const char *text, int64_t min, int64_t max, int64_t *value)
{
	const char *p = text + (text[0] == '-');
	int64_t v = 0;

	if (!is_digit(*p))
		return false;
	for (; is_digit(*p); p++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_sub_overflow(v, *p - '0', &v))
			return false;
	if (*p != '\0' || (text[0] != '-' &&
	    __builtin_sub_overflow(0, v, &v)) || v < min || v > max)
		return false;
	*value = v;
	return true;
}

/* Shortest digits that read back as value, as d.ddd scaled by 10^exponent;
 * the digits, without point, go to digits. */
static int
shortest(double value, char digits[NUM_TEXT], int *exponent)
{
	char text[NUM_TEXT];
	int precision = value < 0x1p-1022 ? 1 : 15, n = 0;
	char *p;

	/* 15 digits are never one too many, but for subnormal numbers. */
	for (; precision <= 17; precision++) {
		(void)snprintf(text, sizeof(text), "%.*e", precision - 1,
		    value);
		if (strtod(text, NULL) == value)
			break;
	}
	for (p = text; *p != 'e'; p++)
		if (is_digit(*p))
			digits[n++] = *p;
	*exponent = (int)strtol(p + 1, NULL, 10);
	while (n > 1 && digits[n - 1] == '0')
		n--;
	return n;
}

size_t
num_print(char text[NUM_TEXT], double value)
{
	char digits[NUM_TEXT] = "";
	size_t at = 0;
	int i, n, exponent, point;

	if (signbit(value))
		text[at++] = '-';
	if (value == 0) {
		text[at++] = '0';
		text[at] = '\0';
		return at;
	}
	n = shortest(fabs(value), digits, &exponent);
	if (exponent < -6 || exponent >= 21) {
		text[at++] = digits[0];
		if (n > 1)
			text[at++] = '.';
		memcpy(text + at, digits + 1, (size_t)n - 1);
		at += (size_t)n - 1;
		at += (size_t)snprintf(text + at, NUM_TEXT - at, "e%+d",
		    exponent);
		return at;
	}
	point = exponent + 1;		/* digits before the point */
	if (point <= 0) {
		text[at++] = '0';
		text[at++] = '.';
		for (i = point; i < 0; i++)
			text[at++] = '0';
	}
	for (i = 0; i < n || i < point; i++) {
		if (i == point && i > 0)
			text[at++] = '.';
		text[at++] = i < n ? digits[i] : '0';
	}
	text[at] = '\0';
	return at;
}

static const char pairs[] =
    "00010203040506070809101112131415161718192021222324"
    "25262728293031323334353637383940414243444546474849"
    "50515253545556575859606162636465666768697071727374"
    "75767778798081828384858687888990919293949596979899";

/* Two digits of u, which is below 100. */
static char *
put_pair(char *to, uint32_t u)
{
	memcpy(to, pairs + 2 * u, 2);
	return to + 2;
}

char *
num_put_digits(char *to, uint32_t u, int digits)
{
	char *end = to + digits;

	for (to = end; digits >= 2; digits -= 2, u /= 100)
		(void)put_pair(to -= 2, u % 100);
	if (digits == 1)
		to[-1] = (char)('0' + u);
	return end;
}

/* All digits of u. */
static char *
put_whole(char *to, uint64_t u)
{
	char digits[NUM_TEXT], *end = digits + NUM_TEXT, *p = end;

	if (u < 10) {
		*to = (char)('0' + u);
		return to + 1;
	}
	for (; u >= 10; u /= 100)
		(void)put_pair(p -= 2, (uint32_t)(u % 100));
	if (u > 0)
		*--p = (char)('0' + u);
	memcpy(to, p, (size_t)(end - p));
	return to + (end - p);
}

size_t
num_print_int(char text[NUM_TEXT], int64_t value)
{
	char *p = text;

	if (value < 0)
		*p++ = '-';
	p = put_whole(p, value < 0 ? -(uint64_t)value : (uint64_t)value);
	*p = '\0';
	return (size_t)(p - text);
}

size_t
num_print_ms(char text[NUM_TEXT], int64_t ns)
{
	uint64_t u = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	uint32_t fraction = (uint32_t)(u % 1000000);
	char *p = text;

	if (ns < 0)
		*p++ = '-';
	p = put_whole(p, u / 1000000);
	if (fraction != 0) {
		*p++ = '.';
		p = num_put_digits(p, fraction, 6);
		while (p[-1] == '0')
			p--;
	}
	*p = '\0';
	return (size_t)(p - text);
}

bool
num_ms_to_ns(double ms, int64_t *ns)
{
	double v = ms * 1e6, rest;

	if (!(fabs(v) < 0x1p51))
		return false;
	*ns = (int64_t)v;
	rest = v - (double)*ns;	/* exact */
	*ns += (rest >= 0.5) - (rest <= -0.5);
	return true;
}
