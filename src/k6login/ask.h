/* SPDX-License-Identifier: MIT */
/* ask: asks the server about a token, by either of k6's two ways. */
#ifndef K6PIPE_K6LOGIN_ASK_H
#define K6PIPE_K6LOGIN_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"
#include "data/settings.h"

/* How to ask. Borrowed. */
struct ask {
	const struct settings *settings;	/* hosts, time-out */
	const char *token;
	const char *ca_file;		/* NULL: the system's */
	bool allows_http;		/* plain http to anywhere */
};

/* POST /v1/validate-token (PROTOCOL 3.5). 0: it is valid; -1: why. */
int ask_token(const struct ask *a, struct why *why);

/* The newer API's GET /cloud/v6/auth (PROTOCOL 6.4): is the token good for
 * the stack of that URL? 0: its numbers, 0 where the server has none. */
int ask_stack(const struct ask *a, const char *stack_url, int64_t *stack_id,
    int64_t *project_id, struct why *why);

/* A stack as it was typed, a URL or a name, as the URL of a stack: owned by
 * the caller. NULL: it is neither. */
char *stack_url_of(const char *text, struct why *why);

#endif
