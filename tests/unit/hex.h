/* SPDX-License-Identifier: MIT */
/* hex: bytes as a test writes them, and two messages of remote write 1.0 that
 * Prometheus 2.42 took: a counter, and a histogram of three values. */
#ifndef K6PIPE_TESTS_HEX_H
#define K6PIPE_TESTS_HEX_H

#include "base/buf.h"
#include "tap.h"

#define HEX_COUNTER \
	"0a400a1e0a085f5f6e616d655f5f12126b365f687474705f726571735f746f74616c" \
	"0a0c0a06746573746964120272311210090000000000000840" \
	"10d2d995ffbc31"
#define HEX_HISTOGRAM \
	"0a8c010a280a085f5f6e616d655f5f121c6b365f687474705f7265715f6475726174" \
	"696f6e5f7365636f6e64730a110a046e616d651209687474703a2f2f782f0a0d0a06" \
	"73746174757312033230300a0c0a06746573746964120272312230" \
	"080319e25817b7d100e03f200c29000000000000f03730005a0508a7031001" \
	"5a04087e10016202020278d2d995ffbc31"

static inline void
hex_add(struct buf *out, const char *hex)
{
	unsigned byte = 0;

	for (; hex[0] != '\0'; hex += 2) {
		(void)sscanf(hex, "%2x", &byte);
		buf_char(out, (char)byte);
	}
}

static inline void
hex_check(struct span got, const char *want, const char *file, int line)
{
	struct buf text = { 0 };
	size_t i;

	for (i = 0; i < got.n; i++)
		buf_printf(&text, "%02x", (unsigned char)got.p[i]);
	buf_text(&text, "");
	tap_same(buf_whole(&text), span_of(want), file, line);
	buf_release(&text);
}

#define CHECK_HEX(got, want) hex_check((got), (want), __FILE__, __LINE__)

#endif
