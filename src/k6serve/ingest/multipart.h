/* SPDX-License-Identifier: MIT */
/* multipart: the text fields of a form, as clients send it (RFC 7578). */
#ifndef K6PIPE_K6SERVE_INGEST_MULTIPART_H
#define K6PIPE_K6SERVE_INGEST_MULTIPART_H

#include <stdbool.h>

#include "base/mem.h"

/* Find the field of that name in a body with that Content-Type. *value points
 * into the body. False: the type is not multipart/form-data with a boundary,
 * the body is cut short, or no field has the name. */
bool multipart_field(const char *type, struct span body, const char *name,
    struct span *value);

#endif
