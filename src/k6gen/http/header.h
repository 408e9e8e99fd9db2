/* SPDX-License-Identifier: MIT */
/* header: which header lines, "Name: value", a request has. */
#ifndef K6PIPE_K6GEN_HTTP_HEADER_H
#define K6PIPE_K6GEN_HTTP_HEADER_H

#include "k6gen/request.h"

enum { HEADER_SETS = 4 };	/* one for each value of leave_out */

/* Whether the line has this name: "Cookie". */
bool header_is(const char *line, const char *name);

/* Whether one of the lines has the name of this one, up to its colon. */
bool header_is_in(const struct http_texts *t, const char *line);

/* Whether HTTP_NO_* flags leave the line out. */
bool header_is_left_out(const char *line, unsigned leave_out);

/* Whether a request has a body, if an empty one. */
bool header_wants_body(const struct http_request *r);

#endif
