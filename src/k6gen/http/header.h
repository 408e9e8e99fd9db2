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

/* The cookies that a header of the request names, or else one of the options;
 * empty if there is none, or secrets are left out. */
struct span header_cookies(const struct http_texts *own,
    const struct http_texts *options, unsigned leave_out);

#endif
