/* SPDX-License-Identifier: MIT */
/* page: the two pages and what they load. All data comes through the API. */
#include "k6serve/app.h"

static void
send_file(struct call *c)
{
	c->reply->status = 200;
	c->reply->type = c->route->type;
	c->reply->fixed = asset(c->route->file);
}

/* The page itself says so when there is no such run; of the reply to that
 * only the status stays. */
static void
send_run_page(struct call *c)
{
	int status = app_has_run(c) ? 200 : c->reply->status;

	buf_release(&c->reply->body);
	send_file(c);
	c->reply->status = status;
}

#define FILE_AT(path, file, type) \
	{ "GET", path, ACCESS_READ, send_file, false, file, type }

const struct route page_routes[] = {
	{ "GET", "/runs/*", ACCESS_READ, send_run_page, false,
	    ASSET_RUN_HTML, "text/html; charset=utf-8" },
	FILE_AT("/", ASSET_LIST_HTML, "text/html; charset=utf-8"),
	FILE_AT("/page.css", ASSET_PAGE_CSS, "text/css; charset=utf-8"),
	FILE_AT("/page.js", ASSET_PAGE_JS, "text/javascript; charset=utf-8"),
	FILE_AT("/list.js", ASSET_LIST_JS, "text/javascript; charset=utf-8"),
	FILE_AT("/run.js", ASSET_RUN_JS, "text/javascript; charset=utf-8"),
	FILE_AT("/dygraph.js", ASSET_DYGRAPH_JS,
	    "text/javascript; charset=utf-8"),
	FILE_AT("/dygraph.css", ASSET_DYGRAPH_CSS, "text/css; charset=utf-8"),
	FILE_AT("/icon.svg", ASSET_ICON, "image/svg+xml"),
	{ 0 },
};
