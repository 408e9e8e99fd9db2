/* SPDX-License-Identifier: MIT */
/*
 * Protocol 1 (PROTOCOL 3.3): a JSON array of samples, gzip. Kept with
 * histograms; a server that does not want them gets the same samples without.
 */
#include <stdio.h>

#include "data/sample.h"
#include "io/gz.h"
#include "k6push/wire/wire.h"

enum { GZIP_LEVEL = 1 };

/* Past what any batch of ours unpacks to. */
#define PLAIN_MAX ((size_t)256 << 20)

static int
pack(struct span plain, struct buf *kept, struct why *why)
{
	return gz_deflate(plain, GZIP_LEVEL, kept, why);
}

struct rewriting {
	struct buf *out;
	uint64_t n;
	bool with_hist;
};

static int
print_next(void *ctx, const struct sample *s)
{
	struct rewriting *w = ctx;

	buf_char(w->out, w->n++ == 0 ? '[' : ',');
	sample_print(s, w->with_hist, w->out);
	return 0;
}

/* The plain body without histograms. */
static int
strip(struct buf *plain, struct why *why)
{
	struct buf out = { 0 };
	struct rewriting w = { .out = &out };
	struct tags tags = { 0 };
	int status = sample_parse_all(buf_whole(plain), &tags, print_next,
	    &w, why);

	tags_release(&tags);
	buf_char(&out, ']');
	if (status == 0) {
		buf_release(plain);
		*plain = out;
	} else {
		buf_release(&out);
	}
	return status;
}

static int
dress(const struct batch *p, struct span kept, const struct settings *s,
    struct wire_message *m, struct why *why)
{
	bool is_plain = settings_bool(s, SET_NO_COMPRESS);
	bool is_stripped = (p->id.flags & WIRE_V1_HISTOGRAMS) != 0 &&
	    !settings_bool(s, SET_SEND_HISTOGRAMS);
	size_t plain_bytes = (size_t)p->id.plain_bytes;
	struct buf plain = { 0 };

	m->body = kept;
	if ((is_plain || is_stripped) &&
	    gz_inflate(kept, PLAIN_MAX, &plain, why) < 0)
		return -1;
	if (is_stripped && strip(&plain, why) < 0) {
		buf_release(&plain);
		return -1;
	}
	if (is_stripped)
		plain_bytes = plain.n;
	if (is_plain)
		m->own = plain;
	else if (is_stripped && pack(buf_whole(&plain), &m->own, why) < 0)
		return -1;
	if (is_stripped && !is_plain)
		buf_release(&plain);
	if (m->own.n > 0)
		m->body = buf_whole(&m->own);
	wire_header(m, "Content-Type: application/json");
	(void)snprintf(m->text[0], sizeof(m->text[0]),
	    "X-Payload-Sample-Count: %llu",
	    (unsigned long long)p->id.samples);
	wire_header(m, m->text[0]);
	if (is_plain)
		return 0;
	(void)snprintf(m->text[1], sizeof(m->text[1]),
	    "X-Payload-Byte-Count: %zu", plain_bytes);
	wire_header(m, "Content-Encoding: gzip");
	wire_header(m, m->text[1]);
	return 0;
}

static int
count_sample(void *ctx, const struct sample *s)
{
	struct journal_batch *b = ctx;

	b->samples++;
	b->points += sample_points(s);
	b->requests += sample_requests(s);
	return 0;
}

int
wire_v1_count(struct batch *p, struct span plain, struct why *why)
{
	struct tags tags = { 0 };
	int status;

	p->id.samples = p->id.points = p->id.requests = 0;
	p->id.plain_bytes = plain.n;
	status = sample_parse_all(plain, &tags, count_sample, &p->id, why);
	tags_release(&tags);
	return status;
}

/* Samples are divided as they stand, byte for byte. */
static int
divide(struct span plain, uint64_t n_left, struct buf part[2],
    struct why *why)
{
	struct jsn j = jsn_of(plain);
	struct span one;
	uint64_t i;

	(void)jsn_enter(&j, '[');
	for (i = 0; jsn_element(&j); i++) {
		if (!jsn_value(&j, &one))
			break;
		buf_char(&part[i >= n_left], part[i >= n_left].n == 0
		    ? '[' : ',');
		buf_span(&part[i >= n_left], one);
	}
	buf_char(&part[0], ']');
	buf_char(&part[1], ']');
	return jsn_done(&j) ? 0 : why_set(why, "%s", j.error);
}

static int
split(const struct batch *p, struct span kept, struct batch *left,
    struct batch *right, struct why *why)
{
	struct buf plain = { 0 }, part[2] = { { 0 }, { 0 } };
	int status = -1;

	if (p->id.samples < 2)
		return why_set(why, "it is one sample");
	if (gz_inflate(kept, PLAIN_MAX, &plain, why) == 0 &&
	    divide(buf_whole(&plain), p->id.samples / 2, part, why) == 0 &&
	    wire_v1_count(left, buf_whole(&part[0]), why) == 0 &&
	    wire_v1_count(right, buf_whole(&part[1]), why) == 0 &&
	    pack(buf_whole(&part[0]), &left->body, why) == 0 &&
	    pack(buf_whole(&part[1]), &right->body, why) == 0)
		status = 0;
	buf_release(&plain);
	buf_release(&part[0]);
	buf_release(&part[1]);
	return status;
}

const struct wire wire_v1 = { 1, false, "/v1/metrics/", { "[]", 2 }, ".gz",
	SET_MAX_SAMPLES, pack, dress, split };
