/* SPDX-License-Identifier: MIT */
/* store_token: the tokens that may write, and their owners. */
#ifndef K6PIPE_K6SERVE_STORE_STORE_TOKEN_H
#define K6PIPE_K6SERVE_STORE_STORE_TOKEN_H

#include "k6serve/store/store.h"

struct store_token {
	const char *name, *owner;
	const unsigned char *hash;	/* STORE_DIGEST bytes */
	int64_t created_ns;
};

/* Adding a known name, or removing an unknown one, fails. 0, or -1: why. */
int store_token_add(struct store *s, const struct store_token *t,
    struct why *why);
int store_token_remove(struct store *s, const char *name, struct why *why);

/* Hand out each token, by name; what it points to dies with the call. A return
 * other than 0 ends the walk with that value; -1 is a failure. */
typedef int store_token_each(void *ctx, const struct store_token *t);
int store_tokens(struct store *s, store_token_each *each, void *ctx,
    struct why *why);

#endif
