/* SPDX-License-Identifier: MIT */
/* links: k6gen.a */
/* Any bytes as lines of targets: each line gives a target, a reason or
 * nothing, and all memory comes back. */
#include <stdint.h>
#include <stdlib.h>

#include "k6gen/targets/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(int status, struct target *done, struct buf *out)
{
	struct dice dice = { 1 };
	struct text_values v = { .vu = 1, .dice = &dice };

	if (done == NULL)
		return;
	if (status < 0 || done->method == NULL || done->url.source.p == NULL)
		abort();
	buf_reset(out);
	text_fill(&done->url, &v, out);
	text_fill(&done->body, &v, out);
	target_release(done);
	free(done);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct target_defaults d = { .method = NULL };
	struct target_reader r = { .defaults = &d };
	struct target *done;
	struct why why = { "" };
	struct buf out = { 0 };
	const char *p = (const char *)data, *end = p + n, *line_end;
	int status;

	while (p < end) {
		line_end = memchr(p, '\n', (size_t)(end - p));
		if (line_end == NULL)
			line_end = end;
		/* A body's file is not to be read here. */
		if (*p != '@') {
			why.text[0] = '\0';
			status = target_reader_take(&r, (struct span){ p,
			    (size_t)(line_end - p) }, &done, &why);
			if (status < 0 && why.text[0] == '\0')
				abort();
			check(status, done, &out);
		}
		p = line_end + 1;
	}
	check(target_reader_end(&r, &done, &why), done, &out);
	buf_release(&out);
	return 0;
}
