/* SPDX-License-Identifier: MIT */
/* accept: which encodings a client takes (RFC 9110, section 12.5.3). */
#ifndef K6PIPE_K6SERVE_HTTP_ACCEPT_H
#define K6PIPE_K6SERVE_HTTP_ACCEPT_H

#include <stdbool.h>

#include "k6serve/http/httpd.h"

/* May the reply to this request be gzip? "gzip;q=0" refuses it. */
bool accepts_gzip(const struct httpd_request *r);

#endif
