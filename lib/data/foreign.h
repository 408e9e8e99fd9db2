/* SPDX-License-Identifier: MIT */
/*
 * foreign: what an input that is not k6stream(5) looks like, by its first
 * bytes, so that a tool can say how to convert it.
 */
#ifndef K6PIPE_DATA_FOREIGN_H
#define K6PIPE_DATA_FOREIGN_H

#include "base/mem.h"

/* Bytes that tell all that can be told; fewer often do. */
enum { FOREIGN_HEAD = 4096 };

/* For a message: what it looks like and, behind a colon, how to convert it:
 * "a zip archive: unzip -p FILE". NULL: it looks like nothing that is known.
 * head is the input from its first line on. */
const char *foreign_hint(struct span head);

/* The first line of an input and what stands behind it in memory, as one. */
static inline struct span
foreign_head(struct span line, struct span rest)
{
	size_t n = line.n;

	if (rest.n > 0 && rest.p > line.p)
		n = (size_t)(rest.p - line.p) + rest.n;
	return (struct span){ line.p, n < FOREIGN_HEAD ? n : FOREIGN_HEAD };
}

#endif
