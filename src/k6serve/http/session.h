/* SPDX-License-Identifier: MIT */
/* session: what k6 asks besides its runs: its login, whether its token is
 * valid, and services that need a cloud (PROTOCOL 3.5). */
#ifndef K6PIPE_K6SERVE_HTTP_SESSION_H
#define K6PIPE_K6SERVE_HTTP_SESSION_H

#include "k6serve/http/call.h"

extern const struct route session_routes[];	/* no ctx */

#endif
