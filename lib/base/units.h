/* SPDX-License-Identifier: MIT */
/* units: durations as k6 writes and reads them, and times of RFC 3339. */
#ifndef K6PIPE_BASE_UNITS_H
#define K6PIPE_BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

#define DURATION_TEXT 40	/* longest duration text, with NUL */
#define TIME_TEXT 40		/* longest time text, with NUL */

/* k6's duration syntax (PROTOCOL 4.2): a plain number is milliseconds, else
 * Go's 1h2m3.5s with ns us µs ms s m h, or whole days before it: 2d3h.
 * False: not a duration, or past 292 years. */
bool duration_parse(const char *text, int64_t *ns);

/* Print as Go does: 3s, 1m0s, 500ms, 1.5s. Returns the length. */
size_t duration_print(char text[DURATION_TEXT], int64_t ns);

/* RFC 3339 with any number of fraction digits, those past the ninth cut off
 * (PROTOCOL 1.4). False: not such a time, or outside 1677..2262. */
bool time_parse(struct span text, int64_t *unix_ns);

/* Print in UTC as k6 does: trailing zeros of the fraction left away, Z.
 * Returns the length. */
size_t time_print(char text[TIME_TEXT], int64_t unix_ns);

/* The same, where text is what either has printed of last_ns. */
size_t time_print_next(char text[TIME_TEXT], int64_t unix_ns,
    int64_t last_ns);

/* Now. The first for what is written down, the second for waiting. */
int64_t now_unix_ns(void);
int64_t now_monotonic_ns(void);

/* Both at one moment. A thread that loses its core between the two readings
 * reads again, a few times at most. */
void now_both_ns(int64_t *monotonic_ns, int64_t *unix_ns);

#endif
