/* SPDX-License-Identifier: MIT */
/* token: who may write, and the subcommands for tokens. */
#ifndef K6PIPE_K6SERVE_HTTP_TOKEN_H
#define K6PIPE_K6SERVE_HTTP_TOKEN_H

#include "k6serve/store/store.h"

/* Is it one of them? 1, 0, or -1 and why. An empty one never is. But for a
 * failure *how_many tells how many there are. owner, unless NULL, is set to
 * whom it belongs to, if it is known; the caller frees it. */
int token_lookup(struct store *s, struct span token, int *how_many,
    char **owner, struct why *why);

/* "token add NAME" and so on, from the command line: args are what follows
 * "token", borrowed. The first tells if they are right, without doing
 * anything; the second does it, tells the user on stdout or stderr, closes
 * stdout and returns the exit status. */
bool token_is_command(char *const *args, int n);
int token_command(struct store *s, char *const *args, int n);

#endif
