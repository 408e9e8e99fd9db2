/* SPDX-License-Identifier: MIT */
/* Snappy's block format by libsnappy. */
#include "io/snap.h"

#include <snappy-c.h>

/* The best that a block can do: a copy of 64 bytes takes 3. */
enum { COPY_BYTES = 64, COPY_TAKES = 3 };

void
snap_pack(struct span plain, struct buf *out)
{
	size_t n = snappy_max_compressed_length(plain.n);
	char *to = buf_room(out, n);

	(void)snappy_compress(plain.p, plain.n, to, &n);
	out->n += n;
	out->p[out->n] = '\0';
}

int
snap_unpack(struct span block, size_t max, struct buf *out, struct why *why)
{
	size_t n;
	char *to;

	if (snappy_uncompressed_length(block.p, block.n, &n) != SNAPPY_OK)
		return why_set(why, "the body is not a snappy block");
	if (n > max) {
		(void)why_set(why, "the body unpacks to %zu bytes, more than "
		    "%zu", n, max);
		return SNAP_TOO_LARGE;
	}
	if (n / COPY_BYTES > block.n / COPY_TAKES + 1)
		return why_set(why, "the body says that it unpacks to %zu "
		    "bytes, which so few cannot hold", n);
	to = buf_room(out, n);
	if (to == NULL) {
		(void)why_set(why, "the body unpacks to too much");
		return SNAP_TOO_LARGE;
	}
	if (snappy_uncompress(block.p, block.n, to, &n) != SNAPPY_OK)
		return why_set(why, "the body is not a snappy block");
	out->n += n;
	out->p[out->n] = '\0';
	return 0;
}
