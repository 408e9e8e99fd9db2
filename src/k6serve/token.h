/* SPDX-License-Identifier: MIT */
/* token: who may write, and the subcommands that say so. */
#ifndef K6PIPE_K6SERVE_TOKEN_H
#define K6PIPE_K6SERVE_TOKEN_H

#include "k6serve/app.h"

/* How many there are; -1: why. */
int token_count(struct store *s, struct why *why);

/* Is it one of them? 1, 0, or -1 and why. */
int token_is_known(struct store *s, struct span token, struct why *why);

/* May the request do what the route is for? -1: no, the reply says why. */
int token_check(struct app *app, const struct httpd_request *r,
    enum access access, struct httpd_reply *reply);

/* "token add NAME" and so on, from the command line: args are what follows
 * "token". The first tells if they are right; the second returns the exit
 * status. */
bool token_is_command(char *const *args, int n);
int token_command(struct store *s, char *const *args, int n);

#endif
