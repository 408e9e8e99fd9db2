/* SPDX-License-Identifier: MIT */
/* engine_plain_priv: which requests the plain engine takes. */
#ifndef K6PIPE_K6GEN_HTTP_ENGINE_PLAIN_PRIV_H
#define K6PIPE_K6GEN_HTTP_ENGINE_PLAIN_PRIV_H

#include <stdbool.h>

#include "k6gen/http/conn.h"
#include "k6gen/http/engine.h"

/* Do the options leave this engine anything to do? */
bool plain_takes_options(const struct http_options *o);

/* Take http://host[:port] apart if it is of the plain kind; curl knows how to
 * treat the others. Returns the path in the URL, or NULL. */
const char *plain_split_url(const char *url, char authority[AUTHORITY]);

#endif
