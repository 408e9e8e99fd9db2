/* SPDX-License-Identifier: MIT */
/* jsn_priv: UTF-8, for both halves of jsn. */
#ifndef K6PIPE_DATA_JSN_PRIV_H
#define K6PIPE_DATA_JSN_PRIV_H

#include <stddef.h>

/* Length of the UTF-8 sequence at p, strict: no overlong form, no surrogate,
 * nothing past U+10FFFF. 0: invalid. */
static inline size_t
utf8_length(const unsigned char *p, size_t left)
{
	unsigned char c = p[0];
	size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2, i;

	if (c < 0xc2 || c > 0xf4 || left < n)
		return 0;
	for (i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) ||
	    (c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

#endif
