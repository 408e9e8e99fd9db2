/* SPDX-License-Identifier: MIT */
/* text: text with placeholders, {{vu}}, parsed once and filled in often. */
#ifndef K6PIPE_K6GEN_TARGETS_TEXT_H
#define K6PIPE_K6GEN_TARGETS_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/why.h"
#include "k6gen/targets/dice.h"
#include "k6gen/targets/rows.h"

struct text_part;

/* A zeroed struct is empty text. */
struct text {
	struct span source;	/* as it was written; borrowed */
	struct text_part *parts;	/* owned; NULL: no placeholders */
	size_t n, cap;
};

/* What placeholders stand for at one request. */
struct text_values {
	int64_t vu;		/* {{vu}}, from 1 */
	int64_t iter;		/* {{iter}}: iterations of the VU before */
	int64_t seq;		/* {{seq}}: requests of the run before */
	size_t row;		/* of {{row.NAME}} */
	const struct rows *rows;
	struct dice *dice;	/* of {{uuid}} and {{rand LO HI}} */
};

/* Take source apart; it stays the caller's, as do rows, which may be NULL.
 * -1: why names a placeholder that there is not. */
int text_compile(struct text *t, struct span source, const struct rows *rows,
    struct why *why);
void text_release(struct text *t);

static inline bool
text_is_fixed(const struct text *t)
{
	return t->parts == NULL;
}

/* Append the text with its placeholders filled in. */
void text_fill(const struct text *t, const struct text_values *v,
    struct buf *out);

#endif
