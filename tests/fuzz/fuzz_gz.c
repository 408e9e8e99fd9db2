/* SPDX-License-Identifier: MIT */
/* Any bytes as gzip: never more output than the bound; what unpacks packs and
 * unpacks to the same. */
#include <stdint.h>
#include <stdlib.h>

#include "io/gz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf out = { 0 }, packed = { 0 }, again = { 0 };
	size_t max = n % 64 * 1024;
	struct why why = { "" };
	int status = gz_inflate((struct span){ (const char *)data, n }, max,
	    &out, &why);

	if (out.n > max || out.n > n * 200 + 64 * 1024)
		abort();
	if (status != 0 && why.text[0] == '\0')
		abort();
	if (status == 0 && (gz_deflate((struct span){ out.p, out.n }, 1,
	    &packed, &why) != 0 || gz_inflate((struct span){ packed.p,
	    packed.n }, out.n, &again, &why) != 0 ||
	    !span_equal((struct span){ out.p, out.n },
	    (struct span){ again.p, again.n })))
		abort();
	buf_release(&out);
	buf_release(&packed);
	buf_release(&again);
	return 0;
}
