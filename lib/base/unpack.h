/* SPDX-License-Identifier: MIT */
/*
 * unpack: a packed input read as if it were plain: a thread, on another core
 * if there is one, unpacks it into a pipe. What unpacks is a codec, which
 * another layer brings (io/gz, io/zst).
 */
#ifndef K6PIPE_BASE_UNPACK_H
#define K6PIPE_BASE_UNPACK_H

#include <stdbool.h>

#include "base/mem.h"
#include "base/why.h"

/* Takes a piece of what was unpacked. False: it is not wanted. */
typedef bool unpack_put(void *ctx, struct span piece);

struct codec {
	const char *name;	/* "gzip" */
	struct span magic;	/* what such data begins with; 1..4 bytes */
	void *(*open)(void);	/* NULL: it cannot start */
	/* Unpack all of in, any number of members. -1: damaged, why says how;
	 * what could be unpacked before was put. */
	int (*feed)(void *state, struct span in, unpack_put *put, void *ctx,
	    struct why *why);
	bool (*is_whole)(const void *state);	/* at the end of a member */
	void (*close)(void *state);
};

/* True if head may be, or with more bytes become, the start of such data. */
bool codec_may_begin(const struct codec *c, struct span head);

struct unpack;

/* Start to unpack: what was read of the input already is head, the rest comes
 * from in_fd, which stays the caller's. *out_fd is where it is read from; the
 * caller closes it. NULL: why says what failed. */
struct unpack *unpack_start(const struct codec *c, int in_fd,
    struct span head, int *out_fd, struct why *why);

/* End the thread, also where it has not come to the end of its input, and free
 * u. -1: the input was damaged, cut short, or could not be read; why says
 * which. */
int unpack_end(struct unpack *u, struct why *why);

#endif
