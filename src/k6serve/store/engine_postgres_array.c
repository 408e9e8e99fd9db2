/* SPDX-License-Identifier: MIT */
/* Arrays as parameters, in PostgreSQL's binary form (array_recv). */
#ifdef K6PIPE_LIBPQ

#include <endian.h>
#include <string.h>

#include "k6serve/store/engine_postgres_priv.h"

static void
add_32(struct buf *b, uint32_t value)
{
	uint32_t n = htobe32(value);

	buf_add(b, &n, sizeof(n));
}

void
postgres_put_value(struct buf *b, const struct engine_value *v,
    bool is_narrow)
{
	uint64_t bits;

	if (v->is_null) {
		add_32(b, UINT32_MAX);
	} else if (is_narrow && v->type == ENGINE_INT &&
	    v->number >= INT32_MIN && v->number <= INT32_MAX) {
		add_32(b, sizeof(int32_t));
		add_32(b, (uint32_t)v->number);
	} else if (v->type == ENGINE_INT || v->type == ENGINE_REAL) {
		if (v->type == ENGINE_INT)
			bits = (uint64_t)v->number;
		else
			memcpy(&bits, &v->real, sizeof(bits));
		bits = htobe64(bits);
		add_32(b, sizeof(bits));
		buf_add(b, &bits, sizeof(bits));
	} else {
		add_32(b, (uint32_t)v->bytes.n);
		buf_add(b, v->bytes.p, v->bytes.n);
	}
}

Oid
postgres_put_array(struct buf *b, const struct engine_value *first,
    size_t stride, size_t n)
{
	enum { BYTEA = 17, INT8 = 20, TEXT = 25, FLOAT8 = 701 };
	static const Oid oids[][2] = { [ENGINE_INT] = { INT8, 1016 },
	    [ENGINE_REAL] = { FLOAT8, 1022 }, [ENGINE_TEXT] = { TEXT, 1009 },
	    [ENGINE_BLOB] = { BYTEA, 1001 } };
	const Oid *oid = oids[first->type];
	size_t i;

	buf_reset(b);
	add_32(b, 1);		/* dimension */
	add_32(b, 1);		/* some may be NULL */
	add_32(b, oid[0]);
	add_32(b, (uint32_t)n);
	add_32(b, 1);		/* the place of the first */
	for (i = 0; i < n; i++)
		postgres_put_value(b, &first[i * stride], false);
	return oid[1];
}

#else

/* A file of C must not be empty. */
extern const int engine_postgres_array_is_left_out;

#endif
