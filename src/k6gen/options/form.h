/* SPDX-License-Identifier: MIT */
/* form: multipart/form-data (RFC 7578), and basic authentication. */
#ifndef K6PIPE_K6GEN_OPTIONS_FORM_H
#define K6PIPE_K6GEN_OPTIONS_FORM_H

#include "base/buf.h"
#include "base/opt.h"
#include "base/why.h"
#include "k6gen/targets/text.h"

struct form {
	struct buf *body;	/* to append to; the caller's */
	char *type;		/* its Content-Type line; the caller frees it */
	struct text_range *files;	/* in body; the caller frees them */
	size_t n_files, cap;
};

/* Make the body of fields NAME=VALUE, where VALUE may be @FILE. -1: why, a
 * file that cannot be read. */
int form_make(struct form *f, const struct opt_list *fields,
    struct why *why);

/* "Authorization: Basic ..." of NAME:PASSWORD; the caller frees it. */
char *form_basic_header(struct span credentials);

#endif
