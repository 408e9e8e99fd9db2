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

/* Where a text stands: that tells how cells are escaped in it. */
enum text_place { TEXT_HEADER, TEXT_URL, TEXT_BODY };

/* Bytes of a text. */
struct text_range {
	size_t from, n;
};

/* What a text may refer to, and what of it is no text. Borrowed. */
struct text_rules {
	enum text_place place;
	const struct rows *rows;	/* NULL: none */
	const struct text_range *files;	/* parts of the source, in order, that
					   are sent as they are */
	size_t n_files;
};

/* A zeroed struct is empty text. */
struct text {
	struct span source;	/* as it was written; borrowed */
	struct text_part *parts;	/* owned; NULL: no placeholders */
	size_t n, cap;
	bool is_basic;		/* filled in, it is name:password of a header
				   for basic authentication */
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

/* Take source apart; it stays the caller's. Cells are percent-encoded in the
 * path and the query of a URL, and escaped in the strings of a body that is
 * JSON; those of {{raw.NAME}} are not. -1: why names a placeholder that there
 * is not. */
int text_compile(struct text *t, struct span source,
    const struct text_rules *rules, struct why *why);
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
