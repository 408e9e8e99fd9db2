/* SPDX-License-Identifier: MIT */
/* A snappy block as any bytes: refused with a reason, or unpacked to no more
 * than was allowed, which packs and unpacks to the same again. */
#include <stdint.h>
#include <stdlib.h>

#include "io/snap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf plain = { 0 }, packed = { 0 }, again = { 0 };
	const size_t max = 1 << 20;
	struct why why = { "" };

	if (snap_unpack((struct span){ (const char *)data, n }, max, &plain,
	    &why) < 0) {
		if (why.text[0] == '\0' || plain.n != 0)
			abort();
	} else {
		snap_pack(buf_whole(&plain), &packed);
		if (plain.n > max || snap_unpack(buf_whole(&packed), max,
		    &again, &why) < 0 || !span_equal(buf_whole(&plain),
		    buf_whole(&again)))
			abort();
	}
	buf_release(&plain);
	buf_release(&packed);
	buf_release(&again);
	return 0;
}
