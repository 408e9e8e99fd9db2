/* SPDX-License-Identifier: MIT */
/* The body of a push as any bytes: each sample that is read prints as one that
 * reads and prints as the same text again. */
#include <stdlib.h>

#include "data/sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct reader {
	struct tags tags;
	struct buf first, second;
};

static int
print_second(void *ctx, const struct sample *s)
{
	struct reader *r = ctx;

	sample_print(s, true, &r->second);
	return 0;
}

static int
print_first(void *ctx, const struct sample *s)
{
	struct reader *r = ctx;
	struct why why;

	buf_reset(&r->first);
	buf_reset(&r->second);
	(void)sample_points(s);
	(void)sample_requests(s);
	buf_char(&r->first, '[');
	sample_print(s, true, &r->first);
	buf_char(&r->first, ']');
	if (sample_parse_all((struct span){ r->first.p, r->first.n },
	    &r->tags, print_second, r, &why) != 0)
		abort();
	/* An average that came without histogram moves by a rounding; all
	 * else stays. */
	if (s->kind != SAMPLE_AGGREGATE && !span_equal((struct span){
	    r->first.p + 1, r->first.n - 2 }, (struct span){ r->second.p,
	    r->second.n }))
		abort();
	return 0;
}

static int
count(void *ctx, const struct sample *s)
{
	*(uint64_t *)ctx += sample_points(s);
	return 0;
}

/* A body in two pieces is read like the whole. */
static void
read_halves(struct span body, int want)
{
	struct tags tags = { 0 };
	uint64_t whole = 0, halves = 0;
	struct sample_reader r = { .tags = &tags, .each = count,
	    .ctx = &halves };
	struct why why;
	size_t used;
	int status;

	(void)sample_parse_all(body, &tags, count, &whole, &why);
	status = sample_feed(&r, (struct span){ body.p, body.n / 2 }, false,
	    &used, &why);
	if (status == 0)
		status = sample_feed(&r, (struct span){ body.p + used,
		    body.n - used }, true, &used, &why);
	if ((status < 0) != (want < 0) || (status == 0 && whole != halves))
		abort();
	tags_release(&tags);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct reader r = { 0 };
	struct why why = { "" };
	struct span body = { (const char *)data, n };
	int status = sample_parse_all(body, &r.tags, print_first, &r, &why);

	if (status < 0 && why.text[0] == '\0')
		abort();
	read_halves(body, status);
	tags_release(&r.tags);
	buf_release(&r.first);
	buf_release(&r.second);
	return 0;
}
