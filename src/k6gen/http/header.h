/* SPDX-License-Identifier: MIT */
/* header: which header lines, "Name: value", a request has. */
#ifndef K6PIPE_K6GEN_HTTP_HEADER_H
#define K6PIPE_K6GEN_HTTP_HEADER_H

#include "base/buf.h"
#include "k6gen/request.h"

enum { HEADER_SETS = 4 };	/* one for each value of leave_out */

/* Whether the line has this name: "Cookie". */
bool header_is(const char *line, const char *name);

/* Whether one of the lines has the name of this one, up to its colon. */
bool header_is_in(const struct http_texts *t, const char *line);

/* Whether HTTP_NO_* flags leave the line out. */
bool header_is_left_out(const char *line, unsigned leave_out);

/* Whether the line has a value, if an empty one: "Name:" alone leaves the
 * header out, and "Name: " sends it empty. */
bool header_has_value(const char *line);

/* Whether a request has a body, if an empty one. */
bool header_wants_body(const struct http_request *r);

/* Append the cookies that the headers of the request name, or else those of the
 * options, "a=1; b=2"; none if secrets are left out. */
void header_write_cookies(const struct http_texts *own,
    const struct http_texts *options, unsigned leave_out, struct buf *out);

#endif
