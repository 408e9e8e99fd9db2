/* SPDX-License-Identifier: MIT */
/* json_path: a value inside a JSON text, named as data.items[0].id. */
#ifndef K6PIPE_K6GEN_JSON_PATH_H
#define K6PIPE_K6GEN_JSON_PATH_H

#include <stdbool.h>

#include "base/buf.h"

/* Whether it is such a name. */
bool json_path_is(struct span path);

/* Find the value; *is_text if it is a string, which comes without quotes and
 * escapes, through scratch. False: there is none, or the text before it is no
 * JSON. */
bool json_path_find(struct span json, struct span path, struct buf *scratch,
    struct span *value, bool *is_text);

#endif
