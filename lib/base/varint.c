/* SPDX-License-Identifier: MIT */
/* Whole numbers in groups of 7 bits, as protobuf has them. */
#include "base/varint.h"

bool
varint_take(const unsigned char **p, const unsigned char *end, uint64_t *v)
{
	unsigned char byte;
	int shift;

	*v = 0;
	for (shift = 0; *p < end && shift < 64; shift += 7) {
		byte = *(*p)++;
		if (shift == 63 && byte > 1)
			return false;
		*v |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return true;
	}
	return false;
}
