/* SPDX-License-Identifier: MIT */
/* links: k6gen.a */
/* Any bytes as headers of an answer: what a jar keeps of them it sends without
 * a line break, and all memory comes back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "k6gen/http/jar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const hosts[] = { "www.h.test:80", "h.test:443",
		"127.0.0.1:80", "[::1]:80" };
	struct buf headers = { 0 }, out = { 0 };
	struct jar j = { .n = 0 };
	size_t i;

	for (i = 0; i < n; i++)
		if (i == 0 || data[i - 1] == '\n') {
			buf_text(&headers, "Set-Cookie: ");
			buf_char(&headers, (char)data[i]);
		} else {
			buf_char(&headers, (char)data[i]);
		}
	for (i = 0; i < 4; i++)
		jar_take(&j, buf_whole(&headers), hosts[i], "/a/b?c", 1000);
	for (i = 0; i < 4; i++)
		jar_write(&j, hosts[i], "/a/b", i & 1, 1000, &out);
	if (out.n > 0 && memchr(out.p, '\n', out.n) != NULL)
		abort();
	jar_release(&j);
	buf_release(&headers);
	buf_release(&out);
	return 0;
}
