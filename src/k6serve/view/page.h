/* SPDX-License-Identifier: MIT */
/* page: the pages and what they load. All data comes through the API. */
#ifndef K6PIPE_K6SERVE_VIEW_PAGE_H
#define K6PIPE_K6SERVE_VIEW_PAGE_H

#include "k6serve/http/call.h"
#include "k6serve/view/assets.h"

/* The files in the form that clients take who accept gzip. Constant from
 * pages_init to pages_release; no server may send them after that. */
struct pages {
	struct buf packed[ASSETS];	/* empty: it would not be smaller */
};

void pages_init(struct pages *p);
void pages_release(struct pages *p);

extern const struct route page_routes[];	/* ctx: struct pages */

/* The file that stands at a path, as "/page.css". False: there is none. */
bool page_file(struct span path, struct span *file);

#endif
