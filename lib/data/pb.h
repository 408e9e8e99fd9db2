/* SPDX-License-Identifier: MIT */
/*
 * pb: protobuf's wire format. The writer goes backwards, from the last field
 * to the first, so that a message's length is known when its head is written;
 * the reader steps through fields in memory and allocates nothing.
 */
#ifndef K6PIPE_DATA_PB_H
#define K6PIPE_DATA_PB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

enum pb_wire { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_FIXED32 = 5 };

/* Bytes written from the end of a growing block. A zeroed struct is empty. */
struct pb_out {
	char *block;	/* owned */
	size_t cap, n;	/* the last n bytes are in use */
};

void pb_release(struct pb_out *o);
struct span pb_whole(const struct pb_out *o);	/* dies at the next change */

/* Fields; those of a message are written in descending order. What proto3
 * leaves away, zeros and empty text, is left to the caller. */
void pb_put_varint(struct pb_out *o, uint32_t field, uint64_t v);
void pb_put_double(struct pb_out *o, uint32_t field, double v);
void pb_put_bytes(struct pb_out *o, uint32_t field, struct span bytes);

/* Bytes that are whole fields already. */
void pb_put_raw(struct pb_out *o, struct span fields);

/* A number without a field, inside of packed ones. */
void pb_put_packed(struct pb_out *o, uint64_t v);

/* Close the message (or packed numbers) whose fields were written since o->n
 * was `since`. */
void pb_put_message(struct pb_out *o, uint32_t field, size_t since);

/* A cursor over a message. The error is sticky: after it pb_next is false. */
struct pb {
	const unsigned char *p, *end;
	const char *error;	/* NULL, or what is wrong */
};

struct pb_field {
	uint32_t number;
	enum pb_wire wire;
	uint64_t value;		/* of varints and fixed ones */
	struct span bytes;	/* of PB_BYTES; borrowed */
};

struct pb pb_of(struct span message);

/* The next field; false at the end, or on an error. Lengths are checked
 * against what is there. */
bool pb_next(struct pb *r, struct pb_field *f);

/* The next number of packed ones; false as above. */
bool pb_next_packed(struct pb *r, uint64_t *v);

/* The value of a field that must have this wire type; 0 or empty, with r's
 * error set, if it has another, or if a 32-bit number is larger. */
uint64_t pb_varint(struct pb *r, const struct pb_field *f);
uint32_t pb_uint32(struct pb *r, const struct pb_field *f);
double pb_double(struct pb *r, const struct pb_field *f);
struct span pb_bytes(struct pb *r, const struct pb_field *f);

/* Note an error of the reader's own, unless there was one. Returns false. */
bool pb_fail(struct pb *r, const char *error);

#endif
