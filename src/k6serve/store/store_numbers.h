/* SPDX-License-Identifier: MIT */
/* store_numbers: numbers for new tag sets or series, had for many at once, so
 * that these are loaded without a statement for each. */
#ifndef K6PIPE_K6SERVE_STORE_STORE_NUMBERS_H
#define K6PIPE_K6SERVE_STORE_STORE_NUMBERS_H

#include "k6serve/store/store_priv.h"

struct store_numbers {
	int64_t *of;		/* owned */
	size_t n, taken;
};

/* Have n numbers in place of what is there: those of ENGINE_NEW_TAGSETS or
 * ENGINE_NEW_SERIES, ascending. 0, or -1 and why. */
int store_numbers_reserve(struct store_numbers *numbers, struct store *s,
    enum engine_text text, size_t n, struct why *why);
void store_numbers_release(struct store_numbers *numbers);

#endif
