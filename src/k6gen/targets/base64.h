/* SPDX-License-Identifier: MIT */
/* base64: bytes as text, by the alphabet and padding of RFC 4648 section 4. */
#ifndef K6PIPE_K6GEN_TARGETS_BASE64_H
#define K6PIPE_K6GEN_TARGETS_BASE64_H

#include <stdbool.h>

#include "base/buf.h"

/* Append the text of bytes to out. */
void base64_encode(struct span bytes, struct buf *out);

/* Append the bytes of text to out. Text without its padding is taken too.
 * False: it is no base64; out may then hold a part. */
bool base64_decode(struct span text, struct buf *out);

#endif
