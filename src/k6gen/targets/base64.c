/* SPDX-License-Identifier: MIT */
/* Base64 of RFC 4648. */
#include "k6gen/targets/base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "abcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(struct span s, struct buf *out)
{
	uint32_t group;
	size_t i, j, n;

	for (i = 0; i < s.n; i += 3) {
		n = s.n - i < 3 ? s.n - i : 3;
		for (group = 0, j = 0; j < 3; j++)
			group = group << 8 |
			    (j < n ? (unsigned char)s.p[i + j] : 0);
		for (j = 0; j < 4; j++)
			buf_char(out, j <= n ?
			    digits[group >> (18 - 6 * j) & 63] : '=');
	}
}

bool
base64_decode(struct span s, struct buf *out)
{
	const char *digit;
	uint32_t group = 0;
	size_t i, n_padding = 0;
	int bits = 0;

	while (n_padding < 2 && s.n % 4 == (4 - n_padding) % 4 && s.n > 0 &&
	    s.p[s.n - 1] == '=') {
		n_padding++;
		s.n--;
	}
	for (i = 0; i < s.n; i++) {
		digit = s.p[i] != '\0' ? strchr(digits, s.p[i]) : NULL;
		if (digit == NULL)
			return false;
		group = group << 6 | (uint32_t)(digit - digits);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			buf_char(out, (char)(group >> bits & 0xff));
		}
	}
	return bits < 6 && (group & ((1U << bits) - 1)) == 0;
}
