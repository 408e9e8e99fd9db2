/* SPDX-License-Identifier: MIT */
/* Random bytes from getrandom(2). */
#include "base/random.h"

#include <sys/random.h>
#include <sys/types.h>

#include "base/die.h"

void
random_bytes(void *to, size_t n)
{
	if (getrandom(to, n, 0) != (ssize_t)n)
		dief(EXIT_FAILED, "no random numbers from the system");
}

void
random_hex(char *to, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[64];
	size_t i;

	random_bytes(bytes, n);
	for (i = 0; i < n; i++) {
		to[2 * i] = digits[bytes[i] >> 4];
		to[2 * i + 1] = digits[bytes[i] & 15];
	}
	to[2 * n] = '\0';
}
