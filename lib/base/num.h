/* SPDX-License-Identifier: MIT */
/* num: numbers as JSON and k6 write them (PROTOCOL: "Number formats"). */
#ifndef K6PIPE_BASE_NUM_H
#define K6PIPE_BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest text that the printers below write, its NUL included. */
#define NUM_TEXT 32

/* Length of the JSON number (RFC 8259 section 6) at the start of the n bytes
 * at p, its value, correctly rounded, in *value. 0: no number there, or one
 * that a double cannot hold (1e999). What follows is not looked at. */
size_t num_parse(const char *p, size_t n, double *value);

/* Parse the whole text as a decimal integer of min..max. False: it is not. */
bool num_parse_int(const char *text, int64_t min, int64_t max, int64_t *value);

/* value / step (> 0), rounded down, below 0, too. */
static inline int64_t
num_floor_div(int64_t value, int64_t step)
{
	return value / step - (value % step < 0);
}

/* The largest multiple of step (> 0) that is not above value, below 0, too. */
static inline int64_t
num_floor_to(int64_t value, int64_t step)
{
	int64_t rest = value % step;

	return value - rest - (rest < 0 ? step : 0);
}

/* Print the shortest text that reads back as value (finite), in the form of
 * k6's NDJSON: decimal when 1e-6 <= |value| < 1e21, exponents as 1e-7. The
 * text is NUL-terminated; returns its length. */
size_t num_print(char text[NUM_TEXT], double value);

/* Print a whole number; returns the length. */
size_t num_print_int(char text[NUM_TEXT], int64_t value);

/* Put u, which is less than 10^digits, as 0 to 9 digits with zeros before them
 * and no NUL; returns their end. */
char *num_put_digits(char *to, uint32_t u, int digits);

/* Print ns nanoseconds as milliseconds, exactly: 123000 as 0.123. */
size_t num_print_ms(char text[NUM_TEXT], int64_t ns);

/* Milliseconds to whole nanoseconds, rounded half away from zero. False when
 * |ms| has no exact inverse (2^51 ns and more) or is not finite. */
bool num_ms_to_ns(double ms, int64_t *ns);

#endif
