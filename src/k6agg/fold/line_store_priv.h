/* SPDX-License-Identifier: MIT */
/* line_store_priv: how lines are kept; for what packs and what prints them. */
#ifndef K6PIPE_K6AGG_FOLD_LINE_STORE_PRIV_H
#define K6PIPE_K6AGG_FOLD_LINE_STORE_PRIV_H

#include "k6agg/fold/line_store.h"

/* What the lines of a request look like around their times and values. */
struct shape {
	int n;				/* lines */
	uint32_t before;	/* of the same set, as in line_store_set */
	const struct head *head[GROUP_MAX];	/* NULL: kept as a whole */
	const struct tail *tail[GROUP_MAX];	/* held, or NULL */
};

/* A kept request begins with its shape's index. Nearly all have the same time
 * in all of their lines, and a frame around each: then follow the bytes of the
 * time and of each value, the time, and the values (LINE_EVEN is set in the
 * index). Else follow, for each line, the bytes of its time (0: that of the
 * line before) and of its value, and both texts; for a line without a frame,
 * its length and the line. */
#define LINE_EVEN (UINT32_C(1) << 31)

/* Texts are copied in steps of so many bytes, past their end: behind what is
 * kept, and behind a form, there is as much room. */
enum { LINE_STEP = 32, LINE_SHORT_STEP = 16 };

/* What is printed around the times and values of an even shape's lines. */
struct form {
	size_t index;		/* of the shape */
	bool is_ready;		/* else it was printed once */
	size_t end[GROUP_MAX + 1];	/* of the text before a time */
	struct buf text;
};

/* Copy n bytes, and less than a step more. Returns the end of the n. */
static inline char *
line_copy_steps(char *to, const char *from, size_t n, size_t step)
{
	size_t i = 0;

	do {
		memcpy(to + i, from + i, step);
		i += step;
	} while (i < n);
	return to + n;
}

static inline char *
line_copy_over(char *to, const char *from, size_t n)
{
	return line_copy_steps(to, from, n, LINE_STEP);
}

/* NULL is allowed. */
void line_form_free(struct form *f);

#endif
