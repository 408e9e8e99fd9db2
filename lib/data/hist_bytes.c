/* SPDX-License-Identifier: MIT */
/* A histogram as bytes, for a database. */
#include "base/varint.h"
#include "data/hist_priv.h"

static void
put_varint(struct buf *out, uint64_t v)
{
	unsigned char bytes[VARINT_BYTES];

	buf_add(out, bytes, varint_put(bytes, v));
}

static void
encode(const struct hist *h, struct buf *out)
{
	uint32_t previous = 0;
	size_t i;

	put_varint(out, h->low);
	put_varint(out, h->high);
	put_varint(out, h->n);
	for (i = 0; i < h->n; i++) {
		put_varint(out, h->buckets[i].index - previous);
		put_varint(out, h->buckets[i].count);
		previous = h->buckets[i].index;
	}
}

void
hist_encode(const struct hist *h, struct buf *out)
{
	encode(h, out);
	if (h->negative != NULL || h->fine != NULL)
		encode(h->negative != NULL ? h->negative : &(struct hist){ 0 },
		    out);
	if (h->fine != NULL)
		encode(h->fine, out);
}

static int
decode(struct hist *h, const unsigned char **p, const unsigned char *end)
{
	uint64_t low, high, left, gap, count, index = 0;

	if (!varint_take(p, end, &low) || !varint_take(p, end, &high) ||
	    !varint_take(p, end, &left))
		return -1;
	h->low += low;
	h->high += high;
	for (; left > 0; left--) {
		if (!varint_take(p, end, &gap) ||
		    !varint_take(p, end, &count) || gap > HIST_MAX_INDEX ||
		    (index += gap) > HIST_MAX_INDEX || count == 0)
			return -1;
		hist_add_bucket(h, (uint32_t)index, count);
	}
	return 0;
}

int
hist_decode(struct hist *h, const void *bytes, size_t n)
{
	const unsigned char *p = bytes, *end = p + n;

	if (decode(h, &p, end) < 0 ||
	    (p < end && decode(hist_negative(h), &p, end) < 0) ||
	    (p < end && decode(hist_fine(h), &p, end) < 0))
		return -1;
	return p == end ? 0 : -1;
}
