/* SPDX-License-Identifier: MIT */
/* A codec for tests: "ZZ", then bytes that stand for the ones before them in
 * ASCII, then '.'; '!' is damage. */
#ifndef K6PIPE_TESTS_CODEC_H
#define K6PIPE_TESTS_CODEC_H

#include <stdlib.h>

#include "base/unpack.h"

struct shifted {
	size_t magic;		/* bytes of it that were seen */
	bool is_whole;
};

static inline void *
shifted_open(void)
{
	return xcalloc(1, sizeof(struct shifted));
}

static inline int
shifted_feed(void *state, struct span in, unpack_put *give, void *ctx,
    struct why *why)
{
	struct shifted *s = state;
	size_t i;
	char c;

	for (i = 0; i < in.n; i++) {
		if (s->magic < 2) {
			s->magic++;
			continue;
		}
		if (in.p[i] == '!')
			return why_set(why, "the shifted data is damaged");
		s->is_whole = in.p[i] == '.';
		c = in.p[i] == '\v' ? '\n' : (char)(in.p[i] - 1);
		if (!s->is_whole && !give(ctx, (struct span){ &c, 1 }))
			return 0;
	}
	return 0;
}

static inline bool
shifted_is_whole(const void *state)
{
	return ((const struct shifted *)state)->is_whole;
}

static const struct codec shifted_codec = { "shifted", { "ZZ", 2 },
	shifted_open, shifted_feed, shifted_is_whole, free };

#endif
