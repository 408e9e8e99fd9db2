/* SPDX-License-Identifier: MIT */
/* etag: does not send an answer to a client that has it (RFC 9110, section
 * 8.8.3). */
#ifndef K6PIPE_K6SERVE_VIEW_ETAG_H
#define K6PIPE_K6SERVE_VIEW_ETAG_H

#include "k6serve/http/call.h"

/* Give the reply the field ETag, made of what, which differs where answers
 * differ. True: the caller has that answer, and the reply is 304:
 * of its body only the length is sent. False: also if no digest can be made. */
bool etag_matches(struct call *c, struct span what);

#endif
