/* SPDX-License-Identifier: MIT */
/* form: multipart/form-data (RFC 7578), and basic authentication. */
#ifndef K6PIPE_K6GEN_OPTIONS_FORM_H
#define K6PIPE_K6GEN_OPTIONS_FORM_H

#include "base/buf.h"
#include "base/opt.h"
#include "base/why.h"

/* Make the body of fields NAME=VALUE, where VALUE may be @FILE; *type becomes
 * its Content-Type line, which the caller frees. -1: why, a file that cannot
 * be read. */
int form_make(const struct opt_list *fields, struct buf *body, char **type,
    struct why *why);

/* "Authorization: Basic ..." of NAME:PASSWORD; the caller frees it. */
char *form_basic_header(struct span credentials);

#endif
