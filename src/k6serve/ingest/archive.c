/* SPDX-License-Identifier: MIT */
/* Walks through the headers of a tar. */
#include "k6serve/ingest/archive.h"

#include <stdint.h>
#include <string.h>

enum {
	BLOCK = 512,
	NAME_BYTES = 100,	/* from 0 on */
	SIZE_AT = 124, SIZE_BYTES = 12,
	TYPE_AT = 156,
};

/* Octal digits, a blank or NUL behind them. False: something else. */
static bool
parse_octal(const char *p, size_t n, uint64_t *value)
{
	size_t i;

	*value = 0;
	for (i = 0; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		*value = *value * 8 + (uint64_t)(p[i] - '0');
	return i > 0 && (i == n || p[i] == ' ' || p[i] == '\0');
}

static bool
is_plain_file(char type)
{
	return type == '0' || type == '\0';
}

bool
archive_file(struct span tar, const char *name, struct span *content)
{
	uint64_t size, blocks;

	while (tar.n >= BLOCK && tar.p[0] != '\0') {
		if (!parse_octal(tar.p + SIZE_AT, SIZE_BYTES, &size) ||
		    size > tar.n - BLOCK)
			return false;
		if (is_plain_file(tar.p[TYPE_AT]) &&
		    strlen(name) == strnlen(tar.p, NAME_BYTES) &&
		    memcmp(tar.p, name, strlen(name)) == 0) {
			*content = (struct span){ tar.p + BLOCK, size };
			return true;
		}
		blocks = 1 + (size + BLOCK - 1) / BLOCK;
		if (blocks > tar.n / BLOCK)
			return false;
		tar.p += blocks * BLOCK;
		tar.n -= blocks * BLOCK;
	}
	return false;
}
