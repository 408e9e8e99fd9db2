/* SPDX-License-Identifier: MIT */
/* page: the pages and what they load. All data comes through the API. */
#ifndef K6PIPE_K6SERVE_VIEW_PAGE_H
#define K6PIPE_K6SERVE_VIEW_PAGE_H

#include "k6serve/http/call.h"

extern const struct route page_routes[];	/* no ctx */

/* The file that stands at a path, as "/page.css". False: there is none. */
bool page_file(struct span path, struct span *file);

#endif
