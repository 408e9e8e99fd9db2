/* SPDX-License-Identifier: MIT */
/* Fields of protobuf messages, written and read. */
#include "data/pb.h"

#include <stdlib.h>

#include "base/varint.h"

#ifndef PB_FIRST
#define PB_FIRST 4096	/* bytes of a writer's first block */
#endif

void
pb_release(struct pb_out *o)
{
	free(o->block);
	*o = (struct pb_out){ 0 };
}

struct span
pb_whole(const struct pb_out *o)
{
	return o->n == 0 ? SPAN("")
	    : (struct span){ o->block + o->cap - o->n, o->n };
}

/* Room for n bytes in front of the others. */
static char *
room(struct pb_out *o, size_t n)
{
	size_t cap = o->cap != 0 ? o->cap : PB_FIRST;
	char *block;

	if (o->cap - o->n < n) {
		while (cap - o->n < n)
			cap *= 2;
		block = xmalloc(cap);
		if (o->n != 0)
			memcpy(block + cap - o->n, o->block + o->cap - o->n,
			    o->n);
		free(o->block);
		o->block = block;
		o->cap = cap;
	}
	o->n += n;
	return o->block + o->cap - o->n;
}

void
pb_put_packed(struct pb_out *o, uint64_t v)
{
	unsigned char bytes[VARINT_BYTES];
	size_t n;

	if (v < 0x80) {
		*room(o, 1) = (char)v;
		return;
	}
	n = varint_put(bytes, v);
	memcpy(room(o, n), bytes, n);
}

static void
put_tag(struct pb_out *o, uint32_t field, enum pb_wire wire)
{
	pb_put_packed(o, (uint64_t)field << 3 | (uint64_t)wire);
}

void
pb_put_varint(struct pb_out *o, uint32_t field, uint64_t v)
{
	pb_put_packed(o, v);
	put_tag(o, field, PB_VARINT);
}

void
pb_put_double(struct pb_out *o, uint32_t field, double v)
{
	char *to = room(o, 8);
	uint64_t bits;
	int i;

	memcpy(&bits, &v, sizeof(bits));
	for (i = 0; i < 8; i++)
		to[i] = (char)(bits >> 8 * i);
	put_tag(o, field, PB_FIXED64);
}

void
pb_put_raw(struct pb_out *o, struct span fields)
{
	if (fields.n != 0)
		memcpy(room(o, fields.n), fields.p, fields.n);
}

void
pb_put_bytes(struct pb_out *o, uint32_t field, struct span bytes)
{
	size_t since = o->n;

	pb_put_raw(o, bytes);
	pb_put_message(o, field, since);
}

void
pb_put_message(struct pb_out *o, uint32_t field, size_t since)
{
	pb_put_packed(o, o->n - since);
	put_tag(o, field, PB_BYTES);
}

struct pb
pb_of(struct span message)
{
	const unsigned char *p = (const unsigned char *)message.p;

	return (struct pb){ p, message.n != 0 ? p + message.n : p, NULL };
}

bool
pb_fail(struct pb *r, const char *error)
{
	if (r->error == NULL)
		r->error = error;
	return false;
}

bool
pb_next_packed(struct pb *r, uint64_t *v)
{
	if (r->error != NULL || r->p == r->end)
		return false;
	return varint_take(&r->p, r->end, v) ||
	    pb_fail(r, "a number is cut or too long");
}

/* n bytes as a number, the lowest first. */
static bool
take_fixed(struct pb *r, int n, uint64_t *v)
{
	int i;

	if (r->end - r->p < n)
		return pb_fail(r, "a number is cut");
	*v = 0;
	for (i = 0; i < n; i++)
		*v |= (uint64_t)r->p[i] << 8 * i;
	r->p += n;
	return true;
}

static bool
take_bytes(struct pb *r, struct span *bytes)
{
	uint64_t n;

	if (!varint_take(&r->p, r->end, &n) || n > (uint64_t)(r->end - r->p))
		return pb_fail(r, "a length points past the end");
	*bytes = (struct span){ (const char *)r->p, (size_t)n };
	r->p += n;
	return true;
}

bool
pb_next(struct pb *r, struct pb_field *f)
{
	uint64_t tag;

	if (!pb_next_packed(r, &tag))
		return false;
	if (tag >> 3 == 0 || tag >> 3 >= 1 << 29)
		return pb_fail(r, "a field has no valid number");
	*f = (struct pb_field){ .number = (uint32_t)(tag >> 3),
	    .wire = (enum pb_wire)(tag & 7) };
	switch (f->wire) {
	case PB_VARINT:
		return varint_take(&r->p, r->end, &f->value) ||
		    pb_fail(r, "a number is cut or too long");
	case PB_FIXED64:
		return take_fixed(r, 8, &f->value);
	case PB_FIXED32:
		return take_fixed(r, 4, &f->value);
	case PB_BYTES:
		return take_bytes(r, &f->bytes);
	}
	return pb_fail(r, "a field has an unknown wire type");
}

static bool
has_wire(struct pb *r, const struct pb_field *f, enum pb_wire wire)
{
	return f->wire == wire || pb_fail(r, "a field has another type");
}

uint64_t
pb_varint(struct pb *r, const struct pb_field *f)
{
	return has_wire(r, f, PB_VARINT) ? f->value : 0;
}

uint32_t
pb_uint32(struct pb *r, const struct pb_field *f)
{
	uint64_t v = pb_varint(r, f);

	if (v <= UINT32_MAX)
		return (uint32_t)v;
	(void)pb_fail(r, "a number is larger than 32 bits");
	return 0;
}

double
pb_double(struct pb *r, const struct pb_field *f)
{
	uint64_t bits = has_wire(r, f, PB_FIXED64) ? f->value : 0;
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

struct span
pb_bytes(struct pb *r, const struct pb_field *f)
{
	return has_wire(r, f, PB_BYTES) ? f->bytes : SPAN("");
}
